-- name: keep_return$
-- What came, to be handled; the same once more changes nothing. The worker is woken either way.
INSERT INTO returns (way, digest, thread_id, revision, content, received_at, due_at)
VALUES (:way, :digest, :thread_id, :revision, :content, :now, :now)
ON CONFLICT (way, digest) DO NOTHING
RETURNING id

-- name: take_return^
-- The one that has been due for longest, for as long as this transaction lasts.
SELECT id, way, thread_id, revision, content, received_at, tries
FROM returns
WHERE due_at <= :now
ORDER BY due_at
LIMIT 1
FOR UPDATE SKIP LOCKED

-- name: next_return_due$
SELECT min(due_at) FROM returns WHERE due_at IS NOT NULL

-- name: postpone_return!
UPDATE returns SET due_at = :due_at, tries = tries + 1, said = :said WHERE id = :id

-- name: close_return!
-- What was understood is not kept; what was not stays for people to read.
UPDATE returns
SET due_at = NULL, kind = :kind, said = :said, did = :did, mailbox = :mailbox,
    thread_id = coalesce(:thread_id::uuid, thread_id), revision = coalesce(:revision::integer, revision),
    content = CASE WHEN :kind::text = 'unclear' THEN content END
WHERE id = :id

-- name: find_returned_mail^
SELECT l.thread_id, l.revision, l.mailbox, l.matter, l.wave, l.subscription, l.state, l.resend, l.doubts
FROM ledger AS l
WHERE l.thread_id = :thread_id AND l.revision = :revision

-- name: newest_sent_to^
-- The last mail that went to a mailbox before then.
SELECT l.thread_id, l.revision
FROM threads AS t
JOIN ledger AS l ON l.thread_id = t.id AND l.state IN ('sent', 'unknown', 'bounced')
WHERE t.mailbox = :mailbox AND l.queued_at <= :before
ORDER BY l.state_at DESC
LIMIT 1

-- name: bounce
-- It did not arrive, so nothing is in doubt any more.
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(l.moves, 'bounced', :now, :reason)),
    doubts = 0, worker_id = NULL, claim = l.claim + 1
WHERE l.thread_id = :thread_id AND l.revision = :revision AND l.state IN ('sent', 'unknown')
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: soft_bounces^
-- Of how many mails to a mailbox, on how many days (UTC), it was said since then that it takes nothing now.
SELECT count(DISTINCT (thread_id, revision)) AS mails,
       count(DISTINCT (received_at AT TIME ZONE 'UTC')::date) AS days
FROM returns
WHERE mailbox = :mailbox AND kind = 'soft' AND received_at >= :since

-- name: list_returns
SELECT id, way, kind, said, did, thread_id, revision, mailbox, received_at, due_at IS NOT NULL AS waits,
       content IS NOT NULL AND due_at IS NULL AS readable
FROM returns
WHERE (:kind::text IS NULL OR kind = :kind)
ORDER BY received_at DESC, id DESC
LIMIT :room

-- name: find_return^
SELECT id, way, kind, said, did, thread_id, revision, mailbox, received_at, content FROM returns WHERE id = :id

-- name: returns_of_message
SELECT received_at, way, kind, said, did FROM returns
WHERE thread_id = :thread_id AND revision = :revision
ORDER BY received_at, id

-- name: set_return_aside$
-- A person has read it.
UPDATE returns SET content = NULL, did = :did WHERE id = :id AND content IS NOT NULL AND due_at IS NULL RETURNING id

-- name: returns_open^
SELECT count(*) FILTER (WHERE due_at IS NOT NULL) AS waiting,
       count(*) FILTER (WHERE due_at IS NULL AND content IS NOT NULL) AS unread
FROM returns
WHERE due_at IS NOT NULL OR content IS NOT NULL

-- name: returns_kept
SELECT received_at, way, kind, said, did, encode(content, 'escape') AS content
FROM returns WHERE :alone AND mailbox = :mailbox
ORDER BY received_at, id

-- name: forget_returns
DELETE FROM returns WHERE :alone AND mailbox = :mailbox RETURNING id

-- name: purge_returns$
WITH old AS (
    SELECT id FROM returns WHERE received_at < :before AND due_at IS NULL ORDER BY received_at LIMIT :at_most
), gone AS (
    DELETE FROM returns AS r USING old WHERE r.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
