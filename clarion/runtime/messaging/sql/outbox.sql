-- name: insert_outgoing!
-- Wakes the relay by the channels, of which there is one or none; once for a transaction.
WITH put AS (
    INSERT INTO outbox (topic, key, headers, body)
    SELECT topic, key, headers::jsonb, body
    FROM unnest(:topics::text[], :keys::bytea[], :headers::text[], :bodies::bytea[])
        WITH ORDINALITY AS message (topic, key, headers, body, position)
    ORDER BY position
)
SELECT pg_notify(channel, '') FROM unnest(:channels::text[]) AS channel

-- name: unpublished
-- The oldest, to so many rows or bytes; the first however long it is.
SELECT id, enqueued_at, topic, key, headers, body
FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes
    FROM (
        SELECT id, enqueued_at, topic, key, headers, body
        FROM outbox
        WHERE published_at IS NULL
          AND NOT topic = ANY (:held_topics::text[])
          AND NOT id = ANY (:held_ids::bigint[])
        ORDER BY id
        LIMIT :at_most
    ) AS waiting
) AS counted
WHERE coalesce(bytes - coalesce(octet_length(body), 0), 0) < :most_bytes
ORDER BY id

-- name: mark_published!
-- The bounds spare the partitions of other days.
UPDATE outbox SET published_at = now()
WHERE id = ANY (:ids::bigint[]) AND enqueued_at >= :first::timestamptz AND enqueued_at <= :last::timestamptz

-- name: mark_without_waiting!
-- A mark that a dying server loses is made again: the row is published twice, and its event done once.
SELECT set_config('synchronous_commit', 'off', false)

-- name: maintain_outbox$
SELECT maintain_outbox(days_kept => :days_kept)

-- name: purge_inbox$
WITH purged AS (
    DELETE FROM inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM inbox WHERE received_at < :before LIMIT :at_most))
    RETURNING 1
)
SELECT count(*) FROM purged

-- name: try_lead$
SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '.outbox', 0))
