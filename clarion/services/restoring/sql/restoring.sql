-- name: alive
-- Who says that it works on this database. Those of the dump fell silent when it was made.
SELECT host || ' (' || array_to_string(services, ', ') || ')' AS who
FROM clarion.processes
WHERE seen_at > now() - interval '30 seconds' AND cardinality(services) > 0

-- name: work_left$
-- What the services have to do before all that the dump knew has reached the ledger.
SELECT (SELECT count(*) FROM legislation.withdrawals) + (SELECT count(*) FROM legislation.held)
     + (SELECT count(*) FROM registrations.tellings)
     + (SELECT count(*) FROM campaigns.fanout_jobs WHERE done_at IS NULL)
     + (SELECT count(*) FROM campaigns.campaigns WHERE reconsider)
     + (SELECT count(*) FROM legislation.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM directory.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM campaigns.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM notifications.outbox WHERE published_at IS NULL)
     + (SELECT count(*) FROM registrations.outbox WHERE published_at IS NULL)
