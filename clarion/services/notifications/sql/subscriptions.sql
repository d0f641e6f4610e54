-- name: leave_each
INSERT INTO unsubscribed (mailbox, subscription, left_at)
SELECT :mailbox, subscription, :now FROM unnest(:subscriptions::text[]) AS asked (subscription)
ORDER BY subscription
ON CONFLICT (mailbox, subscription) DO NOTHING
RETURNING subscription

-- name: drop_left
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT * FROM moved(l.moves, ending_as('unneeded', l.doubts), :now, 'unsubscribed')),
    worker_id = NULL, claim = l.claim + 1
WHERE l.thread_id = ANY(ARRAY(SELECT t.id FROM threads AS t WHERE t.mailbox = :mailbox))
  AND l.subscription = ANY(:subscriptions::text[]) AND l.state IN ('queued', 'deferred', 'uncertain')
  AND (l.thread_id, l.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: join_each
-- What ended while it was left stays ended.
DELETE FROM unsubscribed WHERE mailbox = :mailbox AND subscription = ANY(:subscriptions::text[]) RETURNING subscription

-- name: left_of_mailbox
SELECT subscription, left_at FROM unsubscribed WHERE mailbox = :mailbox ORDER BY subscription

-- name: lists_of_mailbox
-- The subscriptions of which it ever was to get mail.
SELECT DISTINCT l.subscription
FROM threads AS t
JOIN ledger AS l ON l.thread_id = t.id
WHERE t.mailbox = :mailbox AND l.subscription IS NOT NULL

-- name: named_before
-- Those whom mail that went to the mailbox named and who still have it.
SELECT DISTINCT o.name
FROM threads AS t
JOIN ledger AS l ON l.thread_id = t.id AND l.state IN ('sent', 'uncertain', 'unknown')
CROSS JOIN LATERAL unnest(coalesce(l.named, l.officials)) AS said (id)
JOIN officials AS o ON o.id = said.id AND o.active AND o.mailbox = t.mailbox
WHERE t.mailbox = :mailbox
ORDER BY o.name

-- name: suppression_of^
SELECT kind, since FROM suppressions WHERE mailbox = :mailbox

-- name: wishes_of
SELECT wish, asked_at FROM wishes WHERE mailbox = :mailbox

-- name: wish$
-- Asked for again after `again_after` at the earliest, so that nobody fills another's mailbox.
INSERT INTO wishes AS w (mailbox, wish, asked_at) VALUES (:mailbox, :wish, :now)
ON CONFLICT (mailbox, wish) DO UPDATE SET asked_at = excluded.asked_at WHERE w.asked_at <= :again_after
RETURNING wish

-- name: take_back_wish$
DELETE FROM wishes WHERE mailbox = :mailbox AND wish = :wish RETURNING wish

-- name: readers_of^
-- Who reads a mailbox as far as notifications knows: officials by id, or the newest address that it was written to.
SELECT (SELECT array_agg(o.id ORDER BY o.id) FROM officials AS o WHERE o.mailbox = :mailbox AND o.active) AS officials,
       (SELECT l.parts -> 0
        FROM threads AS t
        JOIN ledger AS l ON l.thread_id = t.id
        WHERE t.mailbox = :mailbox AND l.parts -> 0 ->> 'address' IS NOT NULL
        ORDER BY l.queued_at DESC
        LIMIT 1) AS part
