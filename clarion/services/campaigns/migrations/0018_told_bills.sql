-- migrate: no-transaction
-- Which campaigns asked about a bill, whatever stands on their hearings' agendas by now.
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaigns_by_told_bill ON campaigns USING gin (told_bills);
