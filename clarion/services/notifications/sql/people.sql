-- name: officials_kept
SELECT id, name, email, city, roles, active
FROM officials WHERE mailbox = :mailbox AND (:alone OR id = ANY(:ids::text[])) ORDER BY id

-- name: threads_kept
-- Those of the mailbox; where several share it, those that named the person, or were written to them by name.
SELECT t.id, t.matter, t.revision
FROM threads AS t
WHERE t.mailbox = :mailbox AND (
    :alone OR EXISTS (
        SELECT FROM ledger AS l
        WHERE l.thread_id = t.id
          AND (l.officials && :ids::text[] OR lower(l.parts -> 0 ->> 'name') = ANY(:names::text[]))))
ORDER BY t.matter

-- name: messages_kept
SELECT l.thread_id, l.matter, l.revision, l.lane, l.subscription, l.officials, l.named, l.parts, l.state, l.state_at,
       l.queued_at, l.reason, l.last_reply, l.relay, c.template, c.facts, c.content
FROM messages AS l
LEFT JOIN contents AS c ON c.id = l.content_id
WHERE l.thread_id = ANY(:thread_ids::uuid[])
ORDER BY l.queued_at, l.thread_id, l.revision

-- name: choices_kept
SELECT subscription, left_at FROM unsubscribed WHERE :alone AND mailbox = :mailbox ORDER BY subscription

-- name: suppressions_kept
SELECT kind, reason, since FROM suppressions WHERE :alone AND mailbox = :mailbox

-- name: wishes_kept
SELECT wish, asked_at FROM wishes WHERE :alone AND mailbox = :mailbox ORDER BY wish

-- name: answers_kept
-- Mail in whose headers the address stands as the one to ask.
SELECT DISTINCT matter FROM contents WHERE :alone AND lower(reply_to ->> 'address') = lower(:address) ORDER BY matter

-- name: stop_mail
-- From the commit on nothing more is sent to the mailbox.
INSERT INTO suppressions (mailbox, kind, reason, since)
SELECT :mailbox, 'erased', 'erased', :now WHERE :alone
ON CONFLICT (mailbox) DO UPDATE SET kind = 'erased', reason = 'erased', since = excluded.since
WHERE suppressions.kind <> 'erased'
RETURNING mailbox

-- name: end_waiting
-- What waits ends now, but not what is under way: that is over in a moment, and looked at again then.
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT * FROM moved(l.moves, ending_as('suppressed', l.doubts), :now, 'erased')),
    worker_id = NULL, claim = l.claim + 1
WHERE l.thread_id = ANY(:thread_ids::uuid[]) AND l.state IN ('queued', 'deferred', 'uncertain')
  AND (:alone OR l.officials <@ :ids::text[])
  AND (l.thread_id, l.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: under_way_of$
SELECT count(*) FROM under_way WHERE thread_id = ANY(:thread_ids::uuid[])

-- name: blank_contents
-- Contents that are one person's own: those of matters with no other mailbox.
WITH own AS MATERIALIZED (
    SELECT matter
    FROM unnest(:matters::text[]) AS asked (matter)
    WHERE NOT EXISTS (SELECT FROM threads_of(matter) AS t WHERE NOT t.id = ANY(:thread_ids::uuid[]))
), commons_gone AS (
    DELETE FROM commons AS c USING own
    WHERE c.id BETWEEN first_thread(own.matter) AND last_thread(own.matter) AND c.matter = own.matter
)
UPDATE contents AS c
SET facts = '[]', content = '{}', calendar = NULL, reply_to = NULL, template = 'erased'
WHERE c.matter IN (SELECT matter FROM own)
RETURNING c.id

-- name: make_messages_nobodys
-- They stay as counts by matter, state and time. A thread's id comes of its mailbox, so it gets another of its matter's.
WITH made AS MATERIALIZED (
    SELECT t.id, overlay(first_thread(t.matter)::text PLACING right(gen_random_uuid()::text, 22) FROM 15)::uuid AS new_id,
           md5(gen_random_uuid()::text) AS mailbox
    FROM threads AS t WHERE t.id = ANY(:thread_ids::uuid[])
), renamed AS (
    UPDATE threads AS t SET id = made.new_id, mailbox = made.mailbox, scattered = false
    FROM made WHERE t.id = made.id RETURNING t.id
)
UPDATE ledger AS l
SET thread_id = made.new_id, mailbox = made.mailbox, officials = '{}', named = NULL, parts = '[{}]', common_id = NULL,
    last_reply = NULL,
    reason = CASE WHEN l.reason IS NOT NULL THEN 'erased' END, claim = l.claim + 1,
    moves = ARRAY(SELECT ROW(m.state, m.at, NULL)::move FROM unnest(l.moves) WITH ORDINALITY AS m ORDER BY m.ordinality)
FROM made
WHERE l.thread_id = made.id
RETURNING l.matter

-- name: take_out_of_messages
-- Of several who share a mailbox one goes: the mail stays the others', without them.
UPDATE ledger AS l
SET officials = ARRAY(SELECT one FROM unnest(l.officials) WITH ORDINALITY AS o (one, place)
                      WHERE NOT one = ANY(:ids::text[]) ORDER BY place),
    named = CASE WHEN l.named IS NOT NULL THEN ARRAY(
        SELECT one FROM unnest(l.named) WITH ORDINALITY AS o (one, place)
        WHERE NOT one = ANY(:ids::text[]) ORDER BY place) END,
    parts = (SELECT coalesce(jsonb_agg(
                 CASE WHEN part.value ? 'officials'
                      THEN jsonb_set(part.value, '{officials}', (part.value -> 'officials') - :ids::text[])
                      ELSE part.value END ORDER BY part.ordinality), '[]')
             FROM jsonb_array_elements(l.parts) WITH ORDINALITY AS part),
    claim = l.claim + 1
WHERE l.thread_id = ANY(:thread_ids::uuid[]) AND l.officials && :ids::text[]
RETURNING l.matter

-- name: forget_officials_kept
DELETE FROM officials WHERE mailbox = :mailbox AND (:alone OR id = ANY(:ids::text[])) RETURNING id

-- name: forget_choices
DELETE FROM unsubscribed WHERE :alone AND mailbox = :mailbox RETURNING subscription

-- name: forget_wishes
DELETE FROM wishes WHERE mailbox = :mailbox RETURNING wish

-- name: forget_answers
UPDATE contents SET reply_to = NULL WHERE :alone AND lower(reply_to ->> 'address') = lower(:address) RETURNING id

-- name: contents_naming
-- What others were told that says the address.
SELECT id, facts, content FROM contents
WHERE :alone AND strpos(lower(facts::text || content::text), lower(:address)) > 0

-- name: say_again!
UPDATE contents SET facts = :facts, content = :content WHERE id = :id

-- name: forget_last_words!
-- A relay's last words may name the last address that it refused.
WITH said AS (
    UPDATE relays SET said = 'erased' WHERE strpos(lower(said), lower(:address)) > 0
)
UPDATE breakers SET reason = 'erased' WHERE strpos(lower(reason), lower(:address)) > 0

-- name: threads_of_erased
SELECT t.id, t.matter
FROM suppressions AS s
JOIN threads AS t ON t.mailbox = s.mailbox
WHERE s.kind = 'erased'

-- name: let_in
DELETE FROM suppressions WHERE mailbox = :mailbox AND kind = 'erased' RETURNING mailbox

-- name: address_of$
SELECT coalesce(
    (SELECT o.email FROM officials AS o WHERE o.mailbox = :mailbox ORDER BY o.active DESC, o.id LIMIT 1),
    (SELECT l.parts -> 0 ->> 'address'
     FROM threads AS t
     JOIN ledger AS l ON l.thread_id = t.id
     WHERE t.mailbox = :mailbox AND l.parts -> 0 ->> 'address' IS NOT NULL
     ORDER BY l.queued_at DESC
     LIMIT 1))

-- name: wishes_for_erasure
SELECT w.mailbox, w.asked_at, known.address, coalesce(known.names, '{}') AS names
FROM wishes AS w
CROSS JOIN LATERAL (
    SELECT min(o.email) AS address, array_agg(o.name ORDER BY o.name) AS names FROM officials AS o WHERE o.mailbox = w.mailbox
) AS known
WHERE w.wish = 'erasure'
ORDER BY w.asked_at, w.mailbox

-- name: forget_returns_naming
-- Of what nobody could tell whose it is, what says the address.
DELETE FROM returns
WHERE :alone AND mailbox IS NULL AND (
    strpos(lower(encode(coalesce(content, ''), 'escape')), lower(encode(convert_to(:address, 'UTF8'), 'escape'))) > 0
    OR strpos(lower(said), lower(:address)) > 0)
RETURNING id
