-- name: lock_broker!
-- Held to the end of the transaction: two processes that start at once replay once.
SELECT pg_advisory_xact_lock(hashtextextended('clarion.broker', 0))

-- name: get_broker$
SELECT cluster_id FROM clarion.broker

-- name: set_broker!
INSERT INTO clarion.broker (cluster_id) VALUES (:cluster_id)
ON CONFLICT (single) DO UPDATE SET cluster_id = excluded.cluster_id, seen_at = now()

-- name: assume_service!
SELECT set_config('role', 'clarion_' || :service, true), set_config('search_path', :service, true)

-- name: assume_login!
SELECT set_config('role', 'none', true)

-- name: publish_again
-- Puts the log of plain topics back into line, for a broker that has none of it.
WITH again AS (
    UPDATE outbox SET published_at = NULL
    WHERE published_at IS NOT NULL
      AND enqueued_at >= now() - interval '7 days'
      AND topic = ANY (:topics::text[])
    RETURNING topic)
SELECT topic, count(*) AS messages FROM again GROUP BY topic ORDER BY topic
