-- What a sender has in hand stands in its own rows (workers.held, rounds): the ledger's rows change once, with the outcome,
-- which comes with all the moves that led to it. `claim` is the version of a row: every statement that changes what a sender
-- read raises it, so that a stale mark and a late word are recognised; only `bury` leaves it, for the late word that counts.
--
-- `notifications.pauses` is the lock of marks. A turn of a crew shares it from its beginning to its commit; whoever ends
-- waiting messages, or must know what is under way, holds it alone, asked for in a statement of its own before it looks.
-- Every other statement changes a state by `moved`, which gives what the row is to hold of it and appends the move:
-- SET (state, state_at, reason, moves) = (SELECT * FROM moved(l.moves, <state>, :now, <reason>)). A new row takes them from
-- moved('{}', ...). Which moves are allowed says domain/states.py.

-- name: enlist!
INSERT INTO workers (id, lease_until) VALUES (:worker, now() + :lease::interval)
ON CONFLICT (id) DO NOTHING

-- name: renew$
UPDATE workers SET lease_until = now() + :lease::interval WHERE id = :worker RETURNING id

-- name: retire!
-- A worker that could not write down what became of its last mails leaves them to the end of its lease.
WITH gone AS (
    DELETE FROM workers AS w
    WHERE w.id = :worker AND NOT EXISTS (SELECT FROM rounds AS r WHERE r.worker_id = w.id AND r.thread_ids <> '{}')
    RETURNING id
)
DELETE FROM rounds AS r USING gone WHERE r.worker_id = gone.id

-- name: lock_claims$
-- One claim at a time, each with a look at what those before it took.
SELECT pg_advisory_xact_lock(hashtextextended('notifications.claims', 0)) IS NULL

-- name: claim
-- Due messages by lane, those that come first for their lane's weight; a lane that needs less leaves the rest to the others.
-- What the worker has in hand it says itself, since what it noted last may be over. The limit that is none tells the planner
-- that few of those that wait are read: without it they are read and sorted, all of them for each claim, as soon as the
-- statistics know how many they are. `grounds` is the edition on which a message may be sent to its officials as they are now;
-- one that was changed since it was asked for has none.
WITH due AS (
    SELECT c.*, c.before / w.weight AS turn
    FROM unnest(:lanes::smallint[], :weights::double precision[]) AS w (number, weight)
    CROSS JOIN LATERAL (
        SELECT l.*, row_number() OVER () - 1 AS before
        FROM (
            SELECT thread_id, revision, matter, wave, mailbox, lane, content_id, subscription, officials, common_id, parts,
                   not_after, state, queued_at, claim, attempts, doubts, resend
            FROM ledger
            WHERE lane = w.number AND state IN ('queued', 'deferred', 'uncertain') AND due_at <= :now
            ORDER BY due_at
            LIMIT (SELECT NULL::bigint)
        ) AS l
        WHERE l.thread_id NOT IN (
              SELECT unnest(other.held) FROM workers AS other WHERE other.id <> :worker
              UNION ALL SELECT unnest(:held::uuid[])
          )
          AND (l.state = 'uncertain' OR l.thread_id NOT IN (SELECT thread_id FROM ledger WHERE state = 'uncertain'))
          AND NOT EXISTS (
              SELECT FROM pauses AS p WHERE p.paused AND p.matter = l.matter AND (p.wave IS NULL OR p.wave = l.wave)
          )
        LIMIT :room
    ) AS c
    WHERE EXISTS (SELECT FROM workers WHERE id = :worker AND lease_until > now())
), taken AS MATERIALIZED (
    SELECT * FROM due ORDER BY turn, lane LIMIT :room
), hands AS (
    SELECT :held::uuid[] || coalesce(array_agg(thread_id), '{}') AS thread_ids,
           :revisions::integer[] || coalesce(array_agg(revision), '{}') AS revisions,
           :claims::integer[] || coalesce(array_agg(claim), '{}') AS claims
    FROM taken
), noted AS (
    UPDATE workers AS w
    SET held = hands.thread_ids, held_revisions = hands.revisions, held_claims = hands.claims
    FROM hands
    WHERE w.id = :worker AND w.lease_until > now()
      AND (EXISTS (SELECT FROM taken) OR w.held <> hands.thread_ids)
    RETURNING w.id
)
SELECT t.thread_id, t.revision, t.matter, t.mailbox, t.lane, t.content_id, t.subscription, t.officials, t.common_id,
       nullif(t.parts, '[{}]') AS parts, t.not_after, t.queued_at, t.claim, t.attempts, t.doubts, t.resend,
       CASE WHEN t.claim = 0 AND t.state = 'queued'
             AND NOT EXISTS (
                 SELECT FROM unsubscribed AS u WHERE u.mailbox = t.mailbox AND u.subscription = t.subscription
             )
             AND NOT EXISTS (SELECT FROM suppressions AS s WHERE s.mailbox = t.mailbox)
       THEN (SELECT edition FROM grounds) END AS grounds
FROM taken AS t
CROSS JOIN noted

-- name: keep!
-- All that the worker still has in hand.
UPDATE workers
SET held = :held::uuid[], held_revisions = :revisions::integer[], held_claims = :claims::integer[]
WHERE id = :worker

-- name: commons_of
SELECT id, part FROM commons WHERE id = ANY(:ids::uuid[])

-- name: contents_of
SELECT id, matter, template, reply_to, facts, content, calendar, edition FROM contents WHERE id = ANY(:ids::bigint[])

-- name: told_before
-- What may have been received in these threads. Nothing of a thread that is in hand is under way, so this holds until it is
-- marked or given back.
SELECT l.thread_id, l.revision, l.content_id, l.sequence, l.state = 'sent' OR l.doubts > 1 AS sure,
       coalesce(l.named, l.officials) AS named, l.resend
FROM ledger AS l
WHERE l.thread_id = ANY(:thread_ids::uuid[]) AND l.state IN ('sent', 'uncertain', 'unknown')
ORDER BY l.thread_id, l.revision DESC

-- name: share_marks$
-- Waits for whoever stops marks; none can until the transaction ends.
SELECT pg_advisory_xact_lock_shared(hashtextextended('notifications.pauses', 0)) IS NULL

-- name: mark
-- The start of mails, where whatever forbids it is asked in one statement; the first `kept` are under way already. Gives the
-- places of those that begin. `hows` are places in the other arrays: most mails of a round are held alike. What may be sent on
-- the grounds that still hold is not looked at again.
WITH paused AS MATERIALIZED (
    SELECT matter, wave FROM pauses WHERE paused
), asked AS MATERIALIZED (
    SELECT place, how, (:grounds::bigint[])[how] = (SELECT edition FROM grounds) AS unchanged
    FROM few(:kept::integer + 1, cardinality(:thread_ids::uuid[])) AS place
    CROSS JOIN LATERAL (SELECT (:hows::integer[])[place] AS how) AS held
    WHERE EXISTS (SELECT FROM workers WHERE id = :worker)
), marked AS MATERIALIZED (
    SELECT place FROM asked WHERE unchanged
    UNION ALL
    SELECT changed.place
    FROM (
        SELECT place, (:thread_ids::uuid[])[place] AS thread_id, (:revisions::integer[])[how] AS revision,
               (:claims::integer[])[how] AS claim, (:named::text[])[how]::text[] AS named
        FROM asked
        WHERE unchanged IS NOT TRUE
    ) AS changed
    JOIN ledger AS l ON l.thread_id = changed.thread_id AND l.revision = changed.revision
    WHERE l.claim = changed.claim AND l.state IN ('queued', 'deferred', 'uncertain')
      AND (l.not_after IS NULL OR l.not_after > :now)
      AND EXISTS (SELECT FROM threads AS t WHERE t.id = l.thread_id AND t.revision = l.revision)
      AND NOT EXISTS (
          SELECT FROM unsubscribed AS u WHERE u.mailbox = l.mailbox AND u.subscription = l.subscription
      )
      AND NOT EXISTS (SELECT FROM suppressions AS s WHERE s.mailbox = l.mailbox)
      AND NOT EXISTS (SELECT FROM paused AS p WHERE p.matter = l.matter AND (p.wave IS NULL OR p.wave = l.wave))
      AND NOT EXISTS (
          SELECT FROM unnest(coalesce(changed.named, l.officials)) AS named (id)
          WHERE NOT EXISTS (
              SELECT FROM officials AS o WHERE o.id = named.id AND o.active AND o.mailbox = l.mailbox
          )
      )
), noted AS (
    INSERT INTO rounds (
        worker_id, crew, thread_ids, revisions, claims, sequences, named, claimed_at, marked_at
    )
    SELECT :worker, :crew::smallint, coalesce(array_agg(thread_id), '{}'),
           coalesce(array_agg((:revisions::integer[])[how]), '{}'), coalesce(array_agg((:claims::integer[])[how]), '{}'),
           coalesce(array_agg((:sequences::integer[])[how]), '{}'), coalesce(array_agg((:named::text[])[how]), '{}'),
           coalesce(array_agg((:claimed_at::timestamptz[])[how]), '{}'),
           coalesce(array_agg((:marked_at::timestamptz[])[how]), '{}')
    FROM unnest(:thread_ids::uuid[], :hows::integer[]) WITH ORDINALITY AS one (thread_id, how, place)
    WHERE one.place <= :kept OR one.place IN (SELECT place FROM marked)
    HAVING EXISTS (SELECT FROM workers WHERE id = :worker)
    ON CONFLICT (worker_id, crew) DO UPDATE
    SET thread_ids = excluded.thread_ids, revisions = excluded.revisions, claims = excluded.claims,
        sequences = excluded.sequences, named = excluded.named, claimed_at = excluded.claimed_at,
        marked_at = excluded.marked_at
)
SELECT place FROM marked

-- name: drop_unmarked
-- What kept a claimed message from being marked; one whose officials changed is addressed again.
WITH looked AS (
    SELECT l.thread_id, l.revision, l.claim, l.doubts, asked.claimed_at,
           CASE
               WHEN l.not_after <= :now THEN 'expired'
               WHEN t.revision > l.revision THEN 'superseded'
               WHEN u.mailbox IS NOT NULL THEN 'unneeded'
               WHEN s.mailbox IS NOT NULL THEN 'suppressed'
           END AS ending,
           CASE
               WHEN l.not_after <= :now THEN 'its time had passed'
               WHEN t.revision > l.revision THEN 'revision ' || t.revision || ' replaces it'
               WHEN u.mailbox IS NOT NULL THEN 'unsubscribed'
               WHEN s.mailbox IS NOT NULL THEN s.reason
               WHEN EXISTS (
                   SELECT FROM pauses AS p
                   WHERE p.paused AND p.matter = l.matter AND (p.wave IS NULL OR p.wave = l.wave)
               ) THEN 'paused'
               ELSE 'its officials changed'
           END AS reason
    FROM few(1, cardinality(:thread_ids::uuid[])) AS place
    CROSS JOIN LATERAL (
        SELECT (:thread_ids::uuid[])[place] AS thread_id, (:revisions::integer[])[place] AS revision,
               (:claims::integer[])[place] AS claim, (:claimed_at::timestamptz[])[place] AS claimed_at
    ) AS asked
    JOIN ledger AS l ON l.thread_id = asked.thread_id AND l.revision = asked.revision AND l.claim = asked.claim
    JOIN threads AS t ON t.id = l.thread_id
    LEFT JOIN unsubscribed AS u ON u.mailbox = l.mailbox AND u.subscription = l.subscription
    LEFT JOIN suppressions AS s ON s.mailbox = l.mailbox
    WHERE l.state IN ('queued', 'deferred', 'uncertain') AND EXISTS (SELECT FROM workers WHERE id = :worker)
)
UPDATE ledger AS l
SET state = became.state, state_at = :now, reason = became.reason,
    moves = moves_after(l.moves, became.claimed_at, NULL, became.state, :now, became.reason),
    worker_id = NULL, claim = l.claim + 1
FROM (
    SELECT looked.*,
           CASE WHEN ending IS NULL THEN waiting_as('queued', doubts) ELSE ending_as(ending, doubts) END AS state
    FROM looked
) AS became
WHERE l.thread_id = became.thread_id AND l.revision = became.revision AND l.claim = became.claim
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: settle
-- What became of messages that a worker had in hand. Of one that was buried only the news that a mail was sent is of use.
-- Each refusal's words stay with its move. `hows` are places in the other arrays: most mails of a round end alike.
UPDATE ledger AS l
SET state = v.state, state_at = :now, reason = v.reason,
    moves = CASE
        WHEN l.worker_id = :worker THEN moves_after(l.moves, NULL, NULL, v.state, :now, NULL)
        ELSE moves_after(l.moves, v.claimed_at, v.marked_at, v.state, :now,
                         CASE WHEN v.state <> 'sent' THEN concat_ws(': ', v.reason, v.reply) END) END,
    due_at = coalesce(v.due_at, l.due_at), attempts = v.attempts, doubts = v.doubts,
    last_reply = coalesce(v.reply, l.last_reply), relay = coalesce(v.relay, l.relay),
    sequence = CASE WHEN v.marked_at IS NULL THEN l.sequence ELSE v.sequence END,
    named = CASE WHEN v.marked_at IS NULL THEN l.named ELSE v.named END,
    worker_id = NULL, claim = l.claim + 1
FROM few(1, cardinality(:thread_ids::uuid[])) AS place
CROSS JOIN LATERAL (
    SELECT (:thread_ids::uuid[])[place] AS thread_id, (:replies::text[])[place] AS reply,
           (:revisions::integer[])[how] AS revision, (:claims::integer[])[how] AS claim, (:states::text[])[how] AS state,
           (:attempts::integer[])[how] AS attempts, (:doubts::integer[])[how] AS doubts,
           (:due_at::timestamptz[])[how] AS due_at, (:reasons::text[])[how] AS reason, (:relays::text[])[how] AS relay,
           (:claimed_at::timestamptz[])[how] AS claimed_at, (:marked_at::timestamptz[])[how] AS marked_at,
           (:sequences::integer[])[how] AS sequence, (:named::text[])[how]::text[] AS named
    FROM (SELECT (:hows::integer[])[place] AS how) AS ended
) AS v
WHERE l.thread_id = v.thread_id AND l.revision = v.revision AND l.claim = v.claim
  AND CASE WHEN EXISTS (SELECT FROM workers WHERE id = :worker) THEN l.state IN ('queued', 'deferred', 'uncertain')
           ELSE l.state = 'uncertain' AND (l.worker_id = :worker) IS TRUE AND v.state = 'sent' END
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: any_dead$
SELECT EXISTS (SELECT FROM workers WHERE lease_until < now())

-- name: bury
-- Workers whose lease ended: what they had in hand is free with them, what they were sending is in doubt. `worker_id` says
-- whose it was, so that a worker that was only slow can still tell that it sent it.
WITH dead AS (
    DELETE FROM workers WHERE lease_until < now() RETURNING id
), gone AS (
    DELETE FROM rounds AS r USING dead WHERE r.worker_id = dead.id RETURNING r.*
)
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT became.state, :now::timestamptz, became.reason,
               moves_after(l.moves, one.claimed_at, one.marked_at, became.state, :now, became.reason)
        FROM (
            SELECT ending_as('uncertain', l.doubts) AS state,
                   CASE WHEN l.doubts > 0 THEN 'in doubt twice: its sender died' ELSE 'its sender died' END AS reason
        ) AS became
    ),
    due_at = :again_at, attempts = l.attempts + 1, doubts = l.doubts + 1, worker_id = gone.worker_id,
    sequence = one.sequence, named = one.named::text[]
FROM gone
CROSS JOIN LATERAL unnest(
    gone.thread_ids, gone.revisions, gone.claims, gone.sequences, gone.named, gone.claimed_at, gone.marked_at
) AS one (thread_id, revision, claim, sequence, named, claimed_at, marked_at)
WHERE l.thread_id = one.thread_id AND l.revision = one.revision AND l.claim = one.claim
  AND l.state IN ('queued', 'deferred', 'uncertain')
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: any_late$
SELECT EXISTS (
    SELECT FROM ledger AS l
    WHERE l.state IN ('queued', 'deferred', 'uncertain') AND l.not_after <= :now
      AND (l.thread_id, l.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
)

-- name: expire
WITH late AS (
    SELECT l.thread_id, l.revision
    FROM ledger AS l
    WHERE l.state IN ('queued', 'deferred', 'uncertain') AND l.not_after <= :now
      AND (l.thread_id, l.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
    ORDER BY l.not_after
    LIMIT :room
    FOR UPDATE OF l SKIP LOCKED
)
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT * FROM moved(l.moves, ending_as('expired', l.doubts), :now, 'its time had passed')),
    worker_id = NULL, claim = l.claim + 1
FROM late
WHERE l.thread_id = late.thread_id AND l.revision = late.revision
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: database_time$
SELECT clock_timestamp()
