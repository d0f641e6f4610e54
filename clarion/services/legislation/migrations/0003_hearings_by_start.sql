-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS hearings_start ON hearings (jurisdiction, committee, starts);
