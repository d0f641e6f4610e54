-- name: bench_imports$
SELECT count(*) FROM import_markers

-- name: bench_outcomes^
-- How many mailboxes' calls have come to an end, and how many of those well.
SELECT count(DISTINCT mailbox) FILTER (WHERE outcome IS NOT NULL) AS ended,
       count(DISTINCT mailbox) FILTER (WHERE outcome = 'sent') AS sent
FROM calls

-- name: bench_sent$
SELECT count(*) FROM ledger WHERE state = 'sent'

-- name: bench_insert_calls!
-- The bare fan-out: one row for each official, without any rule.
INSERT INTO calls (campaign, official, city, division, mailbox, letter, testimony, asked_at)
SELECT 'bare', id, city, '', mailbox, true, false, now() FROM officials WHERE active ORDER BY id LIMIT :most

-- name: bench_messages
-- Messages of the run, to be asked for again.
SELECT content_id, mailbox, parts -> 0 AS part FROM ledger ORDER BY thread_id LIMIT :most

-- name: bench_content^
SELECT template, lane, subscription, reply_to, not_after, facts, content, calendar
FROM contents WHERE id = :content_id

-- name: bench_officials$
SELECT count(*) FROM officials
