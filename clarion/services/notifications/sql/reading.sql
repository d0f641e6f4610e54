-- name: list_messages
-- `after` is the last message of the page before.
SELECT l.thread_id, l.revision, l.resend, l.matter, l.wave, l.mailbox, l.officials, l.lane, l.state, l.state_at,
       l.queued_at, l.reason, l.attempts, l.doubts
FROM messages_fitting(
    :matter::text, :wave::text, :mailboxes::text[], :official::text, :state::text, :lane::smallint,
    :since::timestamptz, :until::timestamptz
) AS l
WHERE :after_thread::uuid IS NULL
   OR (l.queued_at, l.thread_id, l.revision) > (
       SELECT a.queued_at, a.thread_id, a.revision
       FROM ledger AS a
       WHERE a.thread_id = :after_thread AND a.revision = :after_revision::integer
   )
ORDER BY l.queued_at, l.thread_id, l.revision
LIMIT :room

-- name: count_messages
SELECT state, count(*) AS messages
FROM messages_fitting(
    :matter::text, :wave::text, :mailboxes::text[], :official::text, :state::text, :lane::smallint,
    :since::timestamptz, :until::timestamptz
)
GROUP BY state
ORDER BY state

-- name: find_message^
SELECT l.thread_id, l.revision, t.revision AS newest_revision, l.matter, l.mailbox, l.lane, l.subscription,
       l.officials, l.parts, l.content_id, l.not_after, l.state, l.state_at, l.reason, l.last_reply, l.queued_at,
       l.due_at, l.attempts, l.doubts, l.sequence, l.resend, l.wave, l.relay, l.moves,
       coalesce(l.named, l.officials) AS named, c.template, c.reply_to, c.facts, c.content,
       u.left_at, s.reason AS suppressed,
       EXISTS (
           SELECT FROM pauses AS p
           WHERE p.paused AND p.matter = l.matter AND (p.wave IS NULL OR p.wave = l.wave)
       ) AS paused
FROM messages AS l
JOIN threads AS t ON t.id = l.thread_id
JOIN contents AS c ON c.id = l.content_id
LEFT JOIN unsubscribed AS u ON u.mailbox = l.mailbox AND u.subscription = l.subscription
LEFT JOIN suppressions AS s ON s.mailbox = l.mailbox
WHERE l.thread_id = :thread_id AND l.revision = :revision

-- name: thread_story
SELECT l.revision, l.mailbox, l.parts, l.state, l.state_at, l.queued_at, l.reason, l.attempts, l.doubts, l.sequence,
       l.state = 'sent' OR l.doubts > 1 AS sure, l.officials AS readers, coalesce(l.named, l.officials) AS named,
       l.resend, c.id, c.matter, c.template, c.reply_to, c.facts, c.content, c.calendar, c.edition
FROM messages AS l
JOIN contents AS c ON c.id = l.content_id
WHERE l.thread_id = :thread_id
ORDER BY l.revision

-- name: newest_message$
SELECT max(revision) FROM ledger WHERE thread_id = :thread_id
