-- Every statement that changes a state does so by `moved`, which gives what the row is to hold of it and appends the move
-- to `moves`: SET (state, state_at, reason, moves) = (SELECT * FROM moved(l.moves, <state>, :now, <reason>)). A new row
-- takes them from moved('{}', ...). Which moves are allowed says domain/states.py.

-- name: enlist!
INSERT INTO workers (id, lease_until) VALUES (:worker, now() + :lease::interval)
ON CONFLICT (id) DO NOTHING

-- name: renew$
UPDATE workers SET lease_until = now() + :lease::interval WHERE id = :worker RETURNING id

-- name: retire!
-- A worker that could not write down what became of its last mails leaves them to the end of its lease.
DELETE FROM workers AS w
WHERE w.id = :worker
  AND NOT EXISTS (SELECT FROM ledger AS l WHERE l.worker_id = w.id AND l.state = 'sending')

-- name: due_lanes
-- Where anything is due; counting how much would cost as much as claiming it.
SELECT wanted.lane
FROM unnest(:lanes::smallint[]) AS wanted (lane)
WHERE EXISTS (
    SELECT FROM ledger AS l
    WHERE l.lane = wanted.lane AND l.state IN ('queued', 'deferred', 'uncertain') AND l.due_at <= :now
)

-- name: claim
-- The lock on the worker's row keeps it from being buried between its last renewal and this claim.
WITH me AS (
    SELECT id FROM workers WHERE id = :worker AND lease_until > now() FOR KEY SHARE
), wanted AS MATERIALIZED (
    SELECT w.lane, w.places
    FROM unnest(:lanes::smallint[], :places::integer[]) AS w (lane, places)
    WHERE EXISTS (SELECT FROM me)
), taken AS MATERIALIZED (
    SELECT c.thread_id, c.revision
    FROM wanted
    CROSS JOIN LATERAL (
        SELECT l.thread_id, l.revision
        FROM ledger AS l
        WHERE l.lane = wanted.lane AND l.state IN ('queued', 'deferred', 'uncertain') AND l.due_at <= :now
          AND NOT EXISTS (
              SELECT FROM ledger AS other
              WHERE other.thread_id = l.thread_id AND other.revision <> l.revision
                AND other.state IN ('claimed', 'sending', 'uncertain')
          )
          AND NOT EXISTS (
              SELECT FROM pauses AS p WHERE p.paused AND p.matter = l.matter AND (p.wave IS NULL OR p.wave = l.wave)
          )
        ORDER BY l.due_at
        LIMIT wanted.places
        FOR UPDATE OF l SKIP LOCKED
    ) AS c
)
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(l.moves, 'claimed', :now, NULL)),
    worker_id = :worker, claim = l.claim + 1
FROM taken
WHERE l.thread_id = taken.thread_id AND l.revision = taken.revision
RETURNING l.thread_id, l.revision, l.matter, l.mailbox, l.lane, l.content_id, l.subscription, l.parts, l.not_after,
          l.queued_at, l.claim, l.attempts, l.doubts, l.resend

-- name: contents_of
SELECT id, matter, template, reply_to, facts, content, calendar FROM contents WHERE id = ANY(:ids::bigint[])

-- name: told_before
-- What may have been received in these threads. While a row of a thread is claimed no other can be sent, so this holds
-- until the claimed row is marked or dropped.
SELECT l.thread_id, l.revision, l.content_id, l.sequence, l.state = 'sent' OR l.doubts > 1 AS sure,
       coalesce(l.named, l.officials) AS named, l.resend
FROM ledger AS l
WHERE l.thread_id = ANY(:thread_ids::uuid[]) AND l.state IN ('sending', 'sent', 'uncertain', 'unknown')
ORDER BY l.thread_id, l.revision DESC

-- name: mark_sending
-- The start of a mail, where whatever forbids it is asked in one statement. A row that is marked already was marked
-- by a commit whose answer got lost, and has not been sent.
WITH paused AS MATERIALIZED (SELECT matter, wave FROM pauses_for_marking())
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(l.moves, 'sending', :now, NULL)),
    sequence = asked.sequence, named = CASE WHEN asked.named <> l.officials THEN asked.named END
FROM few(:rows::jsonb) AS given
CROSS JOIN LATERAL jsonb_to_record(given) AS asked (
    thread_id uuid, revision integer, claim integer, named text[], sequence integer
)
WHERE l.thread_id = asked.thread_id AND l.revision = asked.revision AND l.claim = asked.claim
  AND (l.worker_id = :worker) IS TRUE AND l.state IN ('claimed', 'sending')
  AND (l.not_after IS NULL OR l.not_after > :now)
  AND EXISTS (SELECT FROM threads AS t WHERE t.id = l.thread_id AND t.revision = l.revision)
  AND NOT EXISTS (
      SELECT FROM unsubscribed AS u WHERE u.mailbox = l.mailbox AND u.subscription = l.subscription
  )
  AND NOT EXISTS (SELECT FROM suppressions AS s WHERE s.mailbox = l.mailbox)
  AND NOT EXISTS (SELECT FROM paused AS p WHERE p.matter = l.matter AND (p.wave IS NULL OR p.wave = l.wave))
  AND NOT EXISTS (
      SELECT FROM unnest(asked.named) AS named (id)
      WHERE NOT EXISTS (
          SELECT FROM officials AS o WHERE o.id = named.id AND o.active AND o.mailbox = l.mailbox
      )
  )
RETURNING l.thread_id, l.revision

-- name: drop_unmarked
-- What kept a claimed row from being marked; one whose officials changed is addressed again, and one whose mark was
-- committed without an answer is looked at again.
WITH looked AS (
    SELECT l.thread_id, l.revision, l.claim,
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
    FROM few(:rows::jsonb) AS given
    CROSS JOIN LATERAL jsonb_to_record(given) AS asked (thread_id uuid, revision integer, claim integer)
    JOIN ledger AS l ON l.thread_id = asked.thread_id AND l.revision = asked.revision AND l.claim = asked.claim
    JOIN threads AS t ON t.id = l.thread_id
    LEFT JOIN unsubscribed AS u ON u.mailbox = l.mailbox AND u.subscription = l.subscription
    LEFT JOIN suppressions AS s ON s.mailbox = l.mailbox
)
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(
        l.moves,
        CASE WHEN looked.ending IS NULL OR l.state = 'sending' THEN waiting_as('queued', l.doubts)
             ELSE ending_as(looked.ending, l.doubts) END,
        :now, looked.reason)),
    worker_id = NULL
FROM looked
WHERE l.thread_id = looked.thread_id AND l.revision = looked.revision AND l.claim = looked.claim
  AND (l.worker_id = :worker) IS TRUE AND l.state IN ('claimed', 'sending')
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: settle
-- What became of claimed and marked rows. Of a row in doubt only the news that it was sent is of use. Each refusal's
-- words stay with its move.
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT m.state, m.state_at, v.reason, m.moves
        FROM moved(l.moves, v.state, :now, CASE WHEN v.state <> 'sent' THEN concat_ws(': ', v.reason, v.reply) END) AS m),
    due_at = coalesce(v.due_at, l.due_at), attempts = v.attempts, doubts = v.doubts,
    last_reply = coalesce(v.reply, l.last_reply), relay = coalesce(v.relay, l.relay), worker_id = NULL
FROM few(:rows::jsonb) AS given
CROSS JOIN LATERAL jsonb_to_record(given) AS v (
    thread_id uuid, revision integer, claim integer, before text, state text, attempts integer, doubts integer,
    due_at timestamptz, reason text, reply text, relay text
)
WHERE l.thread_id = v.thread_id AND l.revision = v.revision AND l.claim = v.claim
  AND (l.worker_id = :worker) IS TRUE
  AND (l.state = v.before OR (l.state = 'uncertain' AND v.state = 'sent'))
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: hand_back!
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT * FROM moved(l.moves, waiting_as('queued', l.doubts), :now, 'its sender gave it back')),
    worker_id = NULL
WHERE l.worker_id = :worker AND l.state = 'claimed'

-- name: bury
-- The rows of workers whose lease ended: claimed ones are free again, marked ones are in doubt. `worker_id` stays on
-- the latter, so that a worker that was only slow can still tell that it sent them.
WITH dead AS (
    DELETE FROM workers WHERE lease_until < now() RETURNING id
)
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(
        l.moves,
        CASE WHEN l.state = 'claimed' THEN waiting_as('queued', l.doubts) ELSE ending_as('uncertain', l.doubts) END,
        :now,
        CASE WHEN l.state = 'sending' AND l.doubts > 0 THEN 'in doubt twice: its sender died'
             ELSE 'its sender died' END)),
    due_at = CASE WHEN l.state = 'sending' THEN :again_at ELSE l.due_at END,
    attempts = l.attempts + (l.state = 'sending')::integer,
    doubts = l.doubts + (l.state = 'sending')::integer,
    worker_id = CASE WHEN l.state = 'sending' THEN l.worker_id END
FROM dead
WHERE l.worker_id = dead.id AND l.state IN ('claimed', 'sending')
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: expire
WITH late AS (
    SELECT thread_id, revision
    FROM ledger
    WHERE state IN ('queued', 'deferred', 'uncertain') AND not_after <= :now
    ORDER BY not_after
    LIMIT :room
    FOR UPDATE SKIP LOCKED
)
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (
        SELECT * FROM moved(l.moves, ending_as('expired', l.doubts), :now, 'its time had passed')),
    worker_id = NULL
FROM late
WHERE l.thread_id = late.thread_id AND l.revision = late.revision
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: database_time$
SELECT clock_timestamp()
