-- Senders no longer write into the ledger what they have taken and begun, but keep it in a row of their own. To be applied
-- while no sender of the code before works: what one had in hand is free again, and what it was sending is in doubt.

-- What a move that a sender made leaves in a row: all of them at once, with what came of it. The first twenty and the last
-- forty are kept, or one or two fewer.
CREATE FUNCTION moves_after(
    so_far move[], claimed_at timestamptz, marked_at timestamptz, wanted text, moved_at timestamptz, why text
) RETURNS move[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN cardinality(so_far) <= 57 THEN so_far
                ELSE so_far[:20] || so_far[cardinality(so_far) - 36:] END
        || CASE WHEN marked_at IS NOT NULL THEN ARRAY[
                    ROW('claimed', claimed_at, NULL)::move, ROW('sending', marked_at, NULL)::move,
                    ROW(wanted, moved_at, why)::move]
                WHEN claimed_at IS NOT NULL THEN ARRAY[
                    ROW('claimed', claimed_at, NULL)::move, ROW(wanted, moved_at, why)::move]
                ELSE ARRAY[ROW(wanted, moved_at, why)::move] END
$$;

UPDATE ledger
SET (state, state_at, reason, moves) = (SELECT * FROM moved(
        moves, CASE state WHEN 'claimed' THEN waiting_as('queued', doubts) ELSE ending_as('uncertain', doubts) END, now(),
        'its sender stopped')),
    attempts = attempts + (state = 'sending')::integer, doubts = doubts + (state = 'sending')::integer, worker_id = NULL
WHERE state IN ('claimed', 'sending');
DELETE FROM workers;

-- What a worker has in hand, from the claim to the outcome: messages by thread, revision and version. No other worker takes
-- anything of these threads. Numbers of one length are not worth compressing.
ALTER TABLE workers
    ADD COLUMN held uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN held_revisions integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN held_claims integer[] NOT NULL DEFAULT '{}';
ALTER TABLE workers ALTER COLUMN held SET STORAGE EXTERNAL;

-- What each crew of a worker is sending now, whole: no more than it has connections.
CREATE TABLE rounds (
    worker_id uuid NOT NULL,
    crew smallint NOT NULL,
    thread_ids uuid[] NOT NULL,
    revisions integer[] NOT NULL,
    claims integer[] NOT NULL,
    sequences integer[] NOT NULL,
    named text[] NOT NULL,
    claimed_at timestamptz[] NOT NULL,
    marked_at timestamptz[] NOT NULL,
    PRIMARY KEY (worker_id, crew)
) WITH (fillfactor = 20);
ALTER TABLE rounds ALTER COLUMN thread_ids SET STORAGE PLAIN;

CREATE VIEW under_way AS
SELECT r.worker_id, one.thread_id, one.revision, one.claim, one.sequence, one.named::text[] AS named, one.claimed_at,
       one.marked_at
FROM rounds AS r
JOIN workers AS w ON w.id = r.worker_id
CROSS JOIN LATERAL unnest(
    r.thread_ids, r.revisions, r.claims, r.sequences, r.named, r.claimed_at, r.marked_at
) AS one (thread_id, revision, claim, sequence, named, claimed_at, marked_at);

CREATE VIEW in_hand AS
SELECT w.id AS worker_id, one.thread_id, one.revision, one.claim
FROM workers AS w
CROSS JOIN LATERAL unnest(w.held, w.held_revisions, w.held_claims) AS one (thread_id, revision, claim);

-- The ledger as it stands, with what senders have in hand and under way: for people to look at.
CREATE VIEW messages AS
SELECT l.thread_id, l.revision, l.resend, l.content_id, l.matter, l.wave, l.mailbox, l.lane, l.subscription, l.officials,
       l.parts, l.not_after,
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

-- squawk-ignore ban-drop-function
DROP FUNCTION messages_fitting(text, text, text[], text, text, smallint, timestamptz, timestamptz);
CREATE FUNCTION messages_fitting(
    of_matter text, of_wave text, of_mailboxes text[], of_official text, in_state text, in_lane smallint,
    since timestamptz, until timestamptz
) RETURNS SETOF messages LANGUAGE sql STABLE AS $$
    SELECT m.*
    FROM messages AS m
    WHERE (
          (of_matter IS NULL AND of_mailboxes IS NULL)
          OR m.thread_id = ANY(ARRAY(
              SELECT t.id FROM threads AS t
              WHERE (of_matter IS NULL OR t.matter = of_matter)
                AND (of_mailboxes IS NULL OR t.mailbox = ANY(of_mailboxes))
          ))
      )
      AND (of_wave IS NULL OR m.wave = of_wave)
      AND (of_official IS NULL OR m.officials @> ARRAY[of_official])
      AND (in_state IS NULL OR m.state = in_state)
      AND (in_lane IS NULL OR m.lane = in_lane)
      AND (since IS NULL OR m.queued_at >= since)
      AND (until IS NULL OR m.queued_at < until)
$$;

-- The places in a sender's arrays as the planner is to see them: fewer than any table has rows. So it goes from them to the
-- tables by their keys, whatever it knows of the tables when a sender's plan is made.
-- squawk-ignore ban-drop-function
DROP FUNCTION few(jsonb);
CREATE FUNCTION few(first integer, last integer) RETURNS SETOF integer LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
BEGIN
    FOR place IN first .. last LOOP
        RETURN NEXT place;
    END LOOP;
END $$;

-- Marks take the lock in a statement of their own.
-- squawk-ignore ban-drop-function
DROP FUNCTION pauses_for_marking();

-- What is in doubt keeps the rest of its thread waiting; there is never much of it.
-- PostgreSQL makes no index of a partitioned table concurrently, and nobody sends meanwhile.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ledger_in_doubt ON ledger (thread_id) WHERE state = 'uncertain';
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX ledger_at_work;
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX ledger_open_mailbox;
