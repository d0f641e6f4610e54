-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS history_received ON history (received_at);
