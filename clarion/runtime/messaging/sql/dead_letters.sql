-- name: upsert_letters
-- Only a failure that tells something new goes into the history: a record may come again thousands of times.
WITH given AS (
    SELECT fingerprint, topic, partition, "offset", key, headers::jsonb AS headers, body, received_at,
           source, event_id, type, claimed, reason, detail, seen
    FROM unnest(
        :fingerprints::bytea[], :topics::text[], :partitions::integer[], :offsets::bigint[], :keys::bytea[],
        :headers::text[], :bodies::bytea[], :received_ats::timestamptz[], :sources::text[], :event_ids::text[],
        :types::text[], :claimed::boolean[], :reasons::text[], :details::text[], :seen::integer[])
        AS letter (fingerprint, topic, partition, "offset", key, headers, body, received_at,
                   source, event_id, type, claimed, reason, detail, seen)
)
INSERT INTO dead_letters AS known (
    fingerprint, topic, partition, "offset", key, headers, body, received_at,
    source, event_id, type, claimed, reason, detail, seen, history)
SELECT *, noted('[]', 'failed', NULL, reason)
FROM given
ORDER BY fingerprint
ON CONFLICT (fingerprint) DO UPDATE SET
    reason = excluded.reason,
    detail = excluded.detail,
    seen = known.seen + excluded.seen,
    last_seen_at = now(),
    history = CASE
        WHEN known.state <> 'retried' AND known.reason = excluded.reason THEN known.history
        ELSE noted(known.history, 'failed', NULL, excluded.reason)
    END,
    resolved_at = CASE known.state WHEN 'discarded' THEN known.resolved_at END,
    state = CASE known.state WHEN 'discarded' THEN 'discarded' ELSE 'open' END
RETURNING fingerprint, id, (xmax = 0) AS is_new

-- name: list_letters
-- `cause` is a part of the reason, in any case of letters.
SELECT id, topic, partition, "offset", source, event_id, type, reason, state, seen, first_seen_at, last_seen_at,
       resolved_at
FROM dead_letters
WHERE (:state::text IS NULL OR state = :state)
  AND (:topic::text IS NULL OR topic = :topic)
  AND (:type::text IS NULL OR type = :type)
  AND (:since::timestamptz IS NULL OR last_seen_at >= :since)
  AND (:cause::text IS NULL OR strpos(lower(reason), lower(:cause)) > 0)
ORDER BY id DESC
LIMIT :at_most

-- name: letter_numbers
-- Those of one state that fit, the oldest first.
SELECT id
FROM dead_letters
WHERE state = :state::text
  AND (:topic::text IS NULL OR topic = :topic)
  AND (:type::text IS NULL OR type = :type)
  AND (:since::timestamptz IS NULL OR last_seen_at >= :since)
  AND (:cause::text IS NULL OR strpos(lower(reason), lower(:cause)) > 0)
ORDER BY id

-- name: get_letter^
SELECT * FROM dead_letters WHERE id = :id

-- name: lock_letter^
SELECT * FROM dead_letters WHERE id = :id FOR UPDATE

-- name: mark_retried!
UPDATE dead_letters
SET state = 'retried', resolved_at = now(), history = noted(history, 'retried', :who, NULL)
WHERE id = :id

-- name: mark_failed_again!
-- What was discarded is open again: somebody wanted it.
UPDATE dead_letters
SET state = 'open', resolved_at = NULL, reason = :reason, detail = :detail, claimed = :claimed, last_seen_at = now(),
    history = noted(history, 'failed again', :who, :reason)
WHERE id = :id

-- name: mark_discarded$
UPDATE dead_letters
SET state = 'discarded', resolved_at = now(), history = noted(history, 'discarded', :who, :why)
WHERE id = :id AND state = 'open'
RETURNING id

-- name: mark_taken_back$
UPDATE dead_letters
SET state = 'open', resolved_at = NULL, history = noted(history, 'taken back', :who, :why)
WHERE id = :id AND state = 'discarded'
RETURNING id

-- name: count_open$
SELECT count(*) FROM dead_letters WHERE state = 'open'

-- name: purge_letters$
-- Open ones stay, however old.
WITH purged AS (
    DELETE FROM dead_letters
    WHERE id IN (
        SELECT id FROM dead_letters
        WHERE state <> 'open' AND resolved_at < :before
        LIMIT :at_most
        FOR UPDATE SKIP LOCKED
    )
    RETURNING 1
)
SELECT count(*) FROM purged
