-- name: server^
SELECT current_setting('server_version_num')::integer AS version_number,
       current_setting('server_version') AS version,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
           AND current_setting('synchronous_commit') <> 'off' AS safe,
       current_setting('max_connections')::integer AS connections_at_most,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
       (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls,
       pg_database_size(current_database()) AS bytes

-- name: database_now$
SELECT clock_timestamp()

-- name: roles
-- Each service's role: whether it is there, and whether this login may take it on.
SELECT service, r.oid IS NOT NULL AS present,
       r.oid IS NOT NULL AND pg_has_role(current_user, r.oid, 'MEMBER') AS usable
FROM unnest(:services::text[]) AS service
LEFT JOIN pg_roles AS r ON r.rolname = 'clarion_' || service

-- name: last_broker$
SELECT cluster_id FROM clarion.broker

-- name: oldest_unpublished^
SELECT count(*) AS messages, extract(epoch FROM now() - min(enqueued_at))::double precision AS seconds
FROM (SELECT enqueued_at FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 100000) AS waiting

-- name: troubled_jobs
-- Those that did not end well, and those that nobody does.
SELECT name, error, extract(epoch FROM now() - due_at)::double precision AS late_seconds
FROM jobs
WHERE error IS NOT NULL OR (due_at < now() - interval '2 hours' AND coalesce(lease_until, due_at) < now())
ORDER BY name

-- name: senders^
-- Those whose lease ended and whom nobody cared for since, and mail that nobody takes though it is due.
SELECT (SELECT count(*) FROM workers WHERE lease_until < now() - interval '1 minute') AS stale,
       (SELECT count(*) FROM workers WHERE lease_until >= now()) AS alive,
       (SELECT extract(epoch FROM now() - min(due_at))::double precision
        FROM ledger
        WHERE state IN ('queued', 'deferred', 'uncertain') AND due_at < now()) AS waiting_seconds

-- name: processes
-- By service, when one that runs it last said so.
SELECT service, extract(epoch FROM now() - max(seen_at))::double precision AS seconds
FROM clarion.processes, unnest(services) AS service
GROUP BY service

-- name: wordings_in_force
-- The newest version of each template that is not the project's own, with what it could not be used for.
SELECT w.template, w.version, count(f.content_id) AS fallbacks, max(f.reason) AS reason
FROM wordings AS w
LEFT JOIN wording_fallbacks AS f ON f.edition = w.edition
WHERE w.body IS NOT NULL
  AND w.version = (SELECT max(n.version) FROM wordings AS n WHERE n.template = w.template)
GROUP BY w.edition, w.template, w.version
ORDER BY w.template
