-- name: report_process!
WITH gone AS (
    DELETE FROM clarion.processes WHERE seen_at < now() - interval '1 hour'
)
INSERT INTO clarion.processes (id, host, services, report)
VALUES (:id, :host, :services, :report)
ON CONFLICT (id) DO UPDATE SET seen_at = now(), report = excluded.report

-- name: end_process!
DELETE FROM clarion.processes WHERE id = :id

-- name: list_processes
SELECT id, host, services, started_at, seen_at, extract(epoch FROM now() - seen_at)::float8 AS silent_seconds, report
FROM clarion.processes
ORDER BY host, services, started_at

-- name: try_database$
SELECT 1
