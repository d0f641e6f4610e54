-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS history_waits_for ON history USING gin (waits_for) WHERE outcome = 'waiting';
