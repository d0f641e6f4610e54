-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS approvals_waiting ON approvals (campaign) WHERE state = 'waiting';
