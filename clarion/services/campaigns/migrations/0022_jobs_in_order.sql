-- migrate: no-transaction
-- The order in which jobs are claimed: a claim reads its own, however many wait behind them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS fanout_jobs_in_order
    ON fanout_jobs (campaign, bucket, reached, division) WHERE done_at IS NULL;
