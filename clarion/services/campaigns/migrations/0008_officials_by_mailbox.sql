-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS officials_by_mailbox ON officials (city, bucket, mailbox);
