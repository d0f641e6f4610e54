-- name: bench_imports$
SELECT count(*) FROM import_markers

-- name: bench_unknown$
-- A call of which nobody knows yet what became of it.
SELECT official FROM calls WHERE outcome IS NULL LIMIT 1

-- name: bench_calls$
SELECT count(*) FROM calls

-- name: bench_sent_to$
SELECT count(DISTINCT mailbox) FROM calls WHERE outcome = 'sent'

-- name: bench_insert_calls!
-- The bare fan-out: one row for each official, without any rule.
INSERT INTO calls (campaign, official, city, division, mailbox, letter, testimony, asked_at)
SELECT :campaign, id, city, '', mailbox, true, false, now() FROM officials WHERE active ORDER BY id LIMIT :most

-- name: bench_begun$
SELECT EXISTS (
    SELECT FROM campaigns AS c JOIN calls AS k ON k.campaign = c.id WHERE c.hearing = :hearing)

-- name: bench_fanned_out$
SELECT c.launched_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM fanout_jobs AS j WHERE j.campaign = c.id AND j.done_at IS NULL)
FROM campaigns AS c WHERE c.hearing = :hearing

-- name: bench_called^
-- The officials who were called, their threads, and the recipients with reasons in the messages.
SELECT (SELECT count(*) FROM calls WHERE campaign = c.id) AS calls,
       (SELECT count(*) FROM threads WHERE campaign = c.id) AS threads,
       (SELECT count(*) FROM outbox AS o
        CROSS JOIN LATERAL (SELECT convert_from(o.body, 'UTF8')::jsonb AS said OFFSET 0) AS batch
        CROSS JOIN LATERAL jsonb_array_elements(said -> 'recipients') AS r
        WHERE o.topic = 'campaigns.calls.v1' AND o.body IS NOT NULL AND said ->> 'matter' = 'campaign:' || c.id
          AND said -> 'in_common' -> (r ->> 'in_common')::integer -> 'reasons' <> '[]') AS asked
FROM campaigns AS c WHERE c.hearing = :hearing

-- name: bench_published
-- What the directory would tell on its topic, in order.
SELECT topic, key, headers, body FROM outbox ORDER BY id

-- name: bench_messages
-- Messages of the run, to be asked for again.
SELECT content_id, mailbox, parts -> 0 || jsonb_build_object('officials', officials) AS part
FROM messages ORDER BY thread_id LIMIT :most

-- name: bench_content^
SELECT template, lane, subscription, reply_to, not_after, facts, content, calendar
FROM contents WHERE id = :content_id

-- name: bench_officials$
SELECT count(*) FROM officials

-- name: bench_past!
-- Messages of the past with their threads, sent one each 31 seconds: a million is a year's.
WITH past AS (
    INSERT INTO ledger (
        thread_id, revision, content_id, matter, mailbox, lane, subscription, officials, parts, state, state_at, moves,
        queued_at, due_at, claim, attempts
    )
    SELECT overlay(first_thread(matter)::text PLACING right(md5(n::text)::uuid::text, 22) FROM 15)::uuid, 1, 1,
           matter, md5('m' || n % 100000), 2, 'calls', ARRAY['o' || n % 100000],
           '[]', 'sent', at, ARRAY[ROW('queued', at, NULL)::move, ROW('sent', at, NULL)::move], at, at, 1, 1
    FROM (
        SELECT n, 'campaign:' || n / 5000 AS matter, now() - n * interval '31 seconds' AS at
        FROM generate_series(:first::bigint, :last::bigint) AS n
    ) AS sent
    RETURNING thread_id, matter, mailbox, revision
)
INSERT INTO threads (id, matter, mailbox, revision)
SELECT thread_id, matter, mailbox, revision FROM past ORDER BY thread_id

-- name: bench_second_database!
CREATE DATABASE past

-- name: bench_leave_unvacuumed!
ALTER TABLE ledger_0 SET (autovacuum_enabled = off);
ALTER TABLE ledger_1 SET (autovacuum_enabled = off);
ALTER TABLE ledger_2 SET (autovacuum_enabled = off);
ALTER TABLE ledger_3 SET (autovacuum_enabled = off);
ALTER TABLE ledger_4 SET (autovacuum_enabled = off);
ALTER TABLE ledger_5 SET (autovacuum_enabled = off);
ALTER TABLE ledger_6 SET (autovacuum_enabled = off);
ALTER TABLE ledger_7 SET (autovacuum_enabled = off);
