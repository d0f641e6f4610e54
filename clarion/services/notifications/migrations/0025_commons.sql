-- What recipients of a batch are told and asked alike, once for all of the matter: reasons and asks. Its id is made of its
-- matter and itself, as a thread's is of its matter and mailbox. Rows from before have it in their parts. To be applied while
-- no sender of the code before works, which would leave it out of the mail; nothing was released, so it comes at once.
CREATE TABLE commons (
    id uuid PRIMARY KEY,
    matter text NOT NULL,
    part jsonb NOT NULL
);
-- What the first of `parts` has in common with others.
ALTER TABLE ledger ADD COLUMN common_id uuid;

-- Parts with what they have in common with others, where they have none of their own.
CREATE FUNCTION whole_parts(parts jsonb, of_common uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN of_common IS NULL THEN parts
                ELSE jsonb_set(parts, '{0}', coalesce((SELECT c.part FROM commons AS c WHERE c.id = of_common), '{}') || (parts -> 0))
           END
$$;

CREATE OR REPLACE VIEW messages AS
SELECT l.thread_id, l.revision, l.resend, l.content_id, l.matter, l.wave, l.mailbox, l.lane, l.subscription, l.officials,
       whole_parts(l.parts, l.common_id) AS parts, l.not_after,
       CASE WHEN u.thread_id IS NOT NULL THEN 'sending' WHEN h.thread_id IS NOT NULL THEN 'claimed' ELSE l.state END AS state,
       coalesce(u.marked_at, l.state_at) AS state_at,
       CASE WHEN u.thread_id IS NULL AND h.thread_id IS NULL THEN l.reason END AS reason,
       l.last_reply, l.queued_at, l.due_at, coalesce(u.worker_id, h.worker_id, l.worker_id) AS worker_id, l.claim,
       l.attempts, l.doubts, coalesce(u.sequence, l.sequence) AS sequence, l.relay,
       CASE WHEN u.thread_id IS NULL THEN l.named ELSE u.named END AS named,
       CASE WHEN u.thread_id IS NULL THEN l.moves
            ELSE l.moves || ARRAY[ROW('claimed', u.claimed_at, NULL)::move, ROW('sending', u.marked_at, NULL)::move]
       END AS moves
FROM ledger AS l
LEFT JOIN under_way AS u
    ON u.thread_id = l.thread_id AND u.revision = l.revision AND l.state IN ('queued', 'deferred', 'uncertain')
LEFT JOIN in_hand AS h
    ON h.thread_id = l.thread_id AND h.revision = l.revision AND h.claim = l.claim
   AND l.state IN ('queued', 'deferred', 'uncertain');
