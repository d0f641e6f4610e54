-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS contents_saved ON contents (saved_at);
