-- name: save_contents!
INSERT INTO contents (
    matter, revision, digest, template, lane, subscription, reply_to, not_after, facts, content
)
SELECT matter, revision, digest, template, lane, subscription, reply_to, not_after, facts, content
FROM jsonb_to_recordset(:rows::jsonb) AS given (
    matter text, revision integer, digest text, template text, lane text, subscription text, reply_to jsonb,
    not_after timestamptz, facts jsonb, content jsonb
)
ORDER BY matter, revision, digest
ON CONFLICT (matter, revision, digest) DO NOTHING

-- name: join_threads!
-- Locks each thread, so that two revisions of it are registered one after the other.
INSERT INTO threads (id, matter, mailbox, revision)
SELECT id, matter, mailbox, max(revision)
FROM jsonb_to_recordset(:rows::jsonb) AS given (id uuid, matter text, mailbox text, revision integer)
GROUP BY id, matter, mailbox
ORDER BY id
ON CONFLICT (matter, mailbox) DO UPDATE
SET revision = greatest(threads.revision, excluded.revision)

-- name: supersede
UPDATE ledger AS l
SET state = CASE WHEN l.doubts > 0 THEN 'unknown' ELSE 'superseded' END, state_at = :now,
    reason = 'revision ' || t.revision || ' replaces it', worker_id = NULL
FROM threads AS t
WHERE t.id = ANY(:thread_ids::uuid[]) AND l.thread_id = t.id AND l.revision < t.revision
  AND l.state IN ('queued', 'deferred', 'uncertain', 'claimed')
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: insert_messages
-- A mailbox that comes again at the same revision brings further officials, or nothing new.
INSERT INTO ledger (
    thread_id, revision, content_id, matter, mailbox, lane, subscription, officials, parts, not_after,
    state, reason, state_at, queued_at, due_at
)
SELECT r.thread_id, r.revision, c.id, r.matter, r.mailbox, r.lane, c.subscription, r.officials,
       jsonb_build_array(r.part), c.not_after,
       CASE WHEN t.revision > r.revision THEN 'superseded' ELSE 'queued' END,
       CASE WHEN t.revision > r.revision THEN 'revision ' || t.revision || ' was known before' END,
       :now, :now, :now
FROM jsonb_to_recordset(:rows::jsonb) AS r (
    thread_id uuid, revision integer, matter text, mailbox text, lane smallint, digest text, officials text[],
    part jsonb
)
JOIN threads AS t ON t.id = r.thread_id
JOIN contents AS c ON c.matter = r.matter AND c.revision = r.revision AND c.digest = r.digest
ORDER BY r.thread_id
ON CONFLICT (thread_id, revision) DO UPDATE
SET officials = ledger.officials || excluded.officials, parts = ledger.parts || excluded.parts
WHERE ledger.state IN ('queued', 'deferred') AND NOT ledger.officials @> excluded.officials
RETURNING matter, revision, mailbox, officials, state, state_at, reason

-- name: withdraw
UPDATE ledger AS l
SET state = CASE WHEN l.doubts > 0 THEN 'unknown' ELSE 'unneeded' END, state_at = :now, reason = :reason,
    worker_id = NULL
WHERE l.thread_id = ANY(:thread_ids::uuid[]) AND l.revision <= :revision
  AND l.state IN ('queued', 'deferred', 'uncertain', 'claimed')
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason
