-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS held_start ON held (jurisdiction, committee, starts);
