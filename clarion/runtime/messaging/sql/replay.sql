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

-- name: publish_tombstones$
-- Those of compacted topics that were the last word on their keys, as far as the log reaches.
WITH last_words AS (
    SELECT DISTINCT ON (topic, key) topic, key, headers, body
    FROM outbox
    WHERE topic = ANY (:topics::text[])
    ORDER BY topic, key, id DESC
), put AS (
    INSERT INTO outbox (topic, key, headers, body)
    SELECT topic, key, headers, body FROM last_words WHERE body IS NULL
    RETURNING 1
)
SELECT count(*) FROM put

-- name: try_replay$
SELECT pg_try_advisory_lock(hashtextextended('clarion.replay', 0))

-- name: open_replay^
SELECT id, started_at, progress
FROM clarion.replays
WHERE asked = :asked::jsonb AND cluster_id = :cluster_id AND finished_at IS NULL
ORDER BY id DESC
LIMIT 1

-- name: begin_replay^
INSERT INTO clarion.replays (asked, cluster_id) VALUES (:asked::jsonb, :cluster_id)
RETURNING id, started_at, progress

-- name: save_replay!
UPDATE clarion.replays SET progress = progress || :progress::jsonb, progressed_at = now() WHERE id = :id

-- name: finish_replay!
UPDATE clarion.replays SET progressed_at = now(), finished_at = now() WHERE id = :id

-- name: count_replayable
-- What was published before; the rest of the log the relay publishes by itself.
SELECT topic, count(*) AS messages, min(enqueued_at) AS first_at, max(enqueued_at) AS last_at
FROM outbox
WHERE published_at < coalesce(:before::timestamptz, now())
  AND topic = ANY (:topics::text[])
  AND (:since::timestamptz IS NULL OR enqueued_at >= :since)
  AND (:until::timestamptz IS NULL OR enqueued_at < :until)
  AND id > :after
GROUP BY topic
ORDER BY topic

-- name: replayable
SELECT id, topic, key, headers, body
FROM outbox
WHERE published_at < :before::timestamptz
  AND topic = ANY (:topics::text[])
  AND (:since::timestamptz IS NULL OR enqueued_at >= :since)
  AND (:until::timestamptz IS NULL OR enqueued_at < :until)
  AND id > :after
ORDER BY id
LIMIT :at_most
