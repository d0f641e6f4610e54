-- name: upsert_letters
INSERT INTO dead_letters (
    fingerprint, topic, partition, "offset", key, headers, body, received_at,
    source, event_id, type, claimed, reason, detail, seen)
SELECT fingerprint, topic, partition, "offset", key, headers::jsonb, body, received_at,
       source, event_id, type, claimed, reason, detail, seen
FROM unnest(
    :fingerprints::bytea[], :topics::text[], :partitions::integer[], :offsets::bigint[], :keys::bytea[],
    :headers::text[], :bodies::bytea[], :received_ats::timestamptz[], :sources::text[], :event_ids::text[],
    :types::text[], :claimed::boolean[], :reasons::text[], :details::text[], :seen::integer[])
    AS letter (fingerprint, topic, partition, "offset", key, headers, body, received_at,
               source, event_id, type, claimed, reason, detail, seen)
ORDER BY fingerprint
ON CONFLICT (fingerprint) DO UPDATE SET
    reason = excluded.reason,
    detail = excluded.detail,
    seen = dead_letters.seen + excluded.seen,
    last_seen_at = now(),
    state = CASE dead_letters.state WHEN 'discarded' THEN 'discarded' ELSE 'open' END
RETURNING fingerprint, id, (xmax = 0) AS is_new

-- name: list_letters
SELECT id, topic, partition, "offset", source, event_id, type, reason, state, seen, first_seen_at, last_seen_at
FROM dead_letters
WHERE (:state::text IS NULL OR state = :state) AND (:topic::text IS NULL OR topic = :topic)
ORDER BY id DESC
LIMIT :at_most

-- name: get_letter^
SELECT * FROM dead_letters WHERE id = :id

-- name: lock_letter^
SELECT * FROM dead_letters WHERE id = :id FOR UPDATE

-- name: mark_retried!
UPDATE dead_letters SET state = 'retried', resolved_at = now() WHERE id = :id

-- name: mark_failed_again!
UPDATE dead_letters SET reason = :reason, detail = :detail, claimed = :claimed, last_seen_at = now() WHERE id = :id

-- name: mark_discarded$
UPDATE dead_letters SET state = 'discarded', resolved_at = now() WHERE id = :id AND state = 'open' RETURNING id

-- name: count_open$
SELECT count(*) FROM dead_letters WHERE state = 'open'
