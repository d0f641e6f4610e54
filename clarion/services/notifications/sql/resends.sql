-- name: count_owed
SELECT state, count(*) AS mailboxes
FROM owed(:matter::text, :wave::text, :in_doubt::boolean, :now::timestamptz)
GROUP BY state
ORDER BY state

-- name: send_again
-- From the beginning, as what was just asked for. One of which nobody knows stays in doubt.
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(
        l.moves, CASE l.state WHEN 'unknown' THEN 'uncertain' ELSE 'queued' END, :now,
        :why || ', resend ' || l.resend + 1)),
    resend = l.resend + 1, queued_at = :now, due_at = :now, attempts = 0, worker_id = NULL,
    claim = l.claim + 1
FROM owed(:matter::text, :wave::text, :in_doubt::boolean, :now::timestamptz) AS o
WHERE l.thread_id = o.thread_id AND l.revision = o.revision AND l.state = o.state
RETURNING o.state
