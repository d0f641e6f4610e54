-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaigns_to_reconsider ON campaigns (ends_at, id) WHERE reconsider;
