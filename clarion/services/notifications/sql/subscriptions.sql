-- name: leave!
INSERT INTO unsubscribed (mailbox, subscription, left_at) VALUES (:mailbox, :subscription, :now)
ON CONFLICT (mailbox, subscription) DO NOTHING

-- name: drop_left
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT * FROM moved(l.moves, ending_as('unneeded', l.doubts), :now, 'unsubscribed')),
    worker_id = NULL
WHERE l.mailbox = :mailbox AND l.subscription = :subscription
  AND l.state IN ('queued', 'deferred', 'uncertain', 'claimed')
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: come_back!
DELETE FROM unsubscribed WHERE mailbox = :mailbox AND subscription = :subscription

-- name: left_of_mailbox
SELECT subscription, left_at FROM unsubscribed WHERE mailbox = :mailbox ORDER BY subscription
