-- name: outgoing_about
-- Messages whose key is one of these or whose body says one of the words, in any case of letters; tombstones are none.
SELECT id, enqueued_at, topic, key, body, published_at
FROM outbox
WHERE body IS NOT NULL AND (
    key = ANY (:keys::bytea[])
    OR EXISTS (
        SELECT FROM unnest(:words::text[]) AS word
        WHERE strpos(lower(encode(body, 'escape')), lower(encode(convert_to(word, 'UTF8'), 'escape'))) > 0))
ORDER BY id

-- name: blank_outgoing!
DELETE FROM outbox WHERE id = ANY (:ids::bigint[]) AND enqueued_at = ANY (:ats::timestamptz[])

-- name: rewrite_outgoing!
UPDATE outbox AS o
SET body = given.body
FROM unnest(:ids::bigint[], :ats::timestamptz[], :bodies::bytea[]) AS given (id, enqueued_at, body)
WHERE o.id = given.id AND o.enqueued_at = given.enqueued_at

-- name: letters_about
-- Dead letters of these keys, or that say one of the words anywhere.
SELECT l.id, l.topic, l.type, l.reason, l.state, l.first_seen_at, l.key, l.body, said.beside
FROM dead_letters AS l
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', headers::text, reason, detail, source, event_id, history::text) AS beside
) AS said
WHERE l.key = ANY (:keys::bytea[])
   OR EXISTS (
       SELECT FROM unnest(:words::text[]) AS word
       WHERE strpos(lower(encode(coalesce(l.key, '') || coalesce(l.body, ''), 'escape')),
                    lower(encode(convert_to(word, 'UTF8'), 'escape'))) > 0
          OR strpos(lower(said.beside), word) > 0)
ORDER BY l.id

-- name: blank_letters!
-- Put aside for good: without content nothing can be handled again.
UPDATE dead_letters
SET key = NULL, headers = '[]', body = NULL, source = NULL, event_id = NULL, reason = 'erased', detail = NULL,
    state = 'discarded', resolved_at = now(), history = noted('[]', 'erased', NULL, NULL)
WHERE id = ANY (:ids::bigint[])
