-- name: save_traces!
-- Sorted, so that two who save the same do not deadlock. What is older than a week nobody goes on with.
WITH old AS (
    DELETE FROM traces WHERE at < now() - interval '7 days'
)
INSERT INTO traces (subject, traceparent)
SELECT DISTINCT subject, :traceparent FROM unnest(:subjects::text[]) AS subject
ORDER BY subject
ON CONFLICT (subject) DO UPDATE SET traceparent = excluded.traceparent, at = excluded.at
WHERE split_part(traces.traceparent, '-', 2) <> split_part(excluded.traceparent, '-', 2)

-- name: find_traces
SELECT subject, traceparent FROM traces WHERE subject = ANY (:subjects::text[])
