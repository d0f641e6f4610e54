-- The ledger of a database that was restored. What waits in it may have been sent since the dump was made. The moves that
-- nobody wrote down are written down now, so that each row's story is one that a message can have.

-- name: forget_senders!
-- Those of the dump are gone; what they had under way stands in the ledger as waiting.
WITH gone AS (DELETE FROM workers)
DELETE FROM rounds

-- name: settle_restored
-- As `sent` those that a relay's log names, and as `unknown` the rest, or none of it. Of each what it becomes. With
-- `since` only what was asked for from then on.
WITH named AS MATERIALIZED (
    SELECT thread_id, revision, resend
    FROM unnest(:thread_ids::uuid[], :revisions::integer[], :resends::integer[]) AS n (thread_id, revision, resend)
), judged AS MATERIALIZED (
    SELECT l.thread_id, l.revision, n.thread_id IS NOT NULL AS sent,
           CASE WHEN l.state IN ('queued', 'deferred') THEN ARRAY['claimed'] ELSE '{}' END
               || CASE WHEN n.thread_id IS NULL THEN ARRAY['unknown']
                       WHEN l.state IN ('queued', 'deferred', 'claimed') THEN ARRAY['sending', 'sent']
                       ELSE ARRAY['sent'] END AS path
    FROM ledger AS l
    LEFT JOIN named AS n ON n.thread_id = l.thread_id AND n.revision = l.revision AND n.resend = l.resend
    WHERE l.state IN ('queued', 'deferred', 'claimed', 'sending', 'uncertain')
      AND (n.thread_id IS NOT NULL OR :doubt_the_rest::boolean)
      AND (:since::timestamptz IS NULL OR l.queued_at >= :since)
    LIMIT :at_most
    FOR UPDATE OF l
)
UPDATE ledger AS l
SET state = judged.path[cardinality(judged.path)], state_at = :now, worker_id = NULL, claim = l.claim + 1,
    reason = CASE WHEN judged.sent THEN NULL ELSE :why END,
    moves = l.moves || ARRAY(
        SELECT ROW(step, :now, CASE WHEN judged.sent THEN 'a relay''s log names it' ELSE :why END)::move
        FROM unnest(judged.path) WITH ORDINALITY AS steps (step, place)
        ORDER BY place
    )
FROM judged
WHERE l.thread_id = judged.thread_id AND l.revision = judged.revision
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: count_waiting
SELECT matter, count(*) AS messages
FROM ledger
WHERE state IN ('queued', 'deferred', 'claimed', 'sending', 'uncertain')
GROUP BY matter
ORDER BY matter
