-- name: leave!
INSERT INTO unsubscribed (mailbox, subscription, left_at) VALUES (:mailbox, :subscription, :now)
ON CONFLICT (mailbox, subscription) DO NOTHING

-- name: drop_left
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT * FROM moved(l.moves, ending_as('unneeded', l.doubts), :now, 'unsubscribed')),
    worker_id = NULL, claim = l.claim + 1
WHERE l.thread_id = ANY(ARRAY(SELECT t.id FROM threads AS t WHERE t.mailbox = :mailbox))
  AND l.subscription = :subscription AND l.state IN ('queued', 'deferred', 'uncertain')
  AND (l.thread_id, l.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: come_back!
DELETE FROM unsubscribed WHERE mailbox = :mailbox AND subscription = :subscription

-- name: left_of_mailbox
SELECT subscription, left_at FROM unsubscribed WHERE mailbox = :mailbox ORDER BY subscription
