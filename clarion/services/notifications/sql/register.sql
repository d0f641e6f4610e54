-- name: save_contents!
-- What messages share, and what their recipients have in common.
WITH saved AS (
    INSERT INTO commons (id, matter, part)
    SELECT id, matter, part::jsonb
    FROM unnest(:common_ids::uuid[], :matters::text[], :parts::text[]) AS given (id, matter, part)
    ORDER BY id
    ON CONFLICT (id) DO NOTHING
)
INSERT INTO contents (
    matter, revision, digest, template, lane, subscription, reply_to, not_after, facts, content, calendar, begins_at,
    edition
)
SELECT matter, revision, digest, template, lane, subscription, reply_to, not_after, facts, content, calendar, begins_at,
       (SELECT coalesce(max(edition), 0) FROM wordings WHERE version IS NOT NULL)
FROM jsonb_to_recordset(:rows::jsonb) AS given (
    matter text, revision integer, digest text, template text, lane text, subscription text, reply_to jsonb,
    not_after timestamptz, facts jsonb, content jsonb, calendar jsonb, begins_at timestamptz
)
ORDER BY matter, revision, digest
ON CONFLICT (matter, revision, digest) DO NOTHING

-- name: scattered_threads
-- Threads from before ids began with their matter.
SELECT id, matter, mailbox FROM threads
WHERE scattered AND matter = ANY(:matters::text[]) AND mailbox = ANY(:mailboxes::text[])

-- name: threads_known
SELECT id FROM threads WHERE id = ANY(:thread_ids::uuid[])

-- name: insert_new_messages!
-- Threads that are new, with their messages: inserted plainly, since looking for what they could conflict with costs half
-- as much again. Whoever else puts one of them in meanwhile makes this fail, and it is looked again. Both go in by the order
-- of the ids, so that a page of an index is gone to once.
WITH shared AS MATERIALIZED (
    SELECT s.share, s.first, s.last, s.matter, s.revision, s.wave, s.lane, c.id AS content_id, c.subscription, c.not_after
    FROM jsonb_to_recordset(:shared::jsonb) AS s (
        share integer, first integer, last integer, matter text, revision integer, digest text, wave text, lane smallint
    )
    JOIN contents AS c ON c.matter = s.matter AND c.revision = s.revision AND c.digest = s.digest
), asked AS MATERIALIZED (
    SELECT r.part, r.officials, r.thread_id, r.mailbox, r.common_id, s.*
    FROM shared AS s
    CROSS JOIN LATERAL ROWS FROM (
        json_array_elements((:parts::text[])[s.share + 1]::json), unnest((:officials::text[])[s.first : s.last]),
        unnest((:thread_ids::uuid[])[s.first : s.last]), unnest((:mailboxes::text[])[s.first : s.last]),
        unnest((:common_ids::uuid[])[s.first : s.last])
    ) AS r (part, officials, thread_id, mailbox, common_id)
    WHERE r.thread_id <> ALL(:known::uuid[])
    ORDER BY r.thread_id
), joined AS (
    INSERT INTO threads (id, matter, mailbox, revision)
    SELECT thread_id, matter, mailbox, max(revision)
    FROM asked
    GROUP BY thread_id, matter, mailbox
    ORDER BY thread_id
)
INSERT INTO ledger (
    thread_id, revision, content_id, matter, wave, mailbox, lane, subscription, officials, parts, common_id, not_after,
    state, state_at, reason, moves, queued_at, due_at
)
SELECT a.thread_id, a.revision, a.content_id, a.matter, a.wave, a.mailbox, a.lane, a.subscription,
       a.officials::text[], jsonb_build_array(a.part), a.common_id, a.not_after, first.*, :now, :now
FROM asked AS a
CROSS JOIN moved('{}', 'queued', :now, NULL) AS first

-- name: join_threads
-- Locks each thread, so that two revisions of it are registered one after the other; gives those that were there before.
WITH joined AS (
    INSERT INTO threads (id, matter, mailbox, revision)
    SELECT r.id, s.matter, r.mailbox, max(s.revision)
    FROM unnest(:thread_ids::uuid[], :mailboxes::text[], :shares::integer[]) AS r (id, mailbox, share)
    JOIN jsonb_to_recordset(:shared::jsonb) AS s (share integer, matter text, revision integer) ON s.share = r.share
    GROUP BY r.id, s.matter, r.mailbox
    ORDER BY r.id
    ON CONFLICT (id) DO UPDATE
    SET revision = greatest(threads.revision, excluded.revision)
    RETURNING id, revision, xmax <> 0 AS known
)
SELECT id, revision FROM joined WHERE known

-- name: supersede
-- What is in doubt waits for the last word of its sender, which may still be at it, and keeps its successor waiting.
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(
        l.moves, ending_as('superseded', l.doubts), :now, 'revision ' || t.revision || ' replaces it')),
    worker_id = NULL, claim = l.claim + 1
FROM threads AS t
WHERE t.id = ANY(:thread_ids::uuid[]) AND l.thread_id = t.id AND l.revision < t.revision
  AND l.state IN ('queued', 'deferred', 'uncertain')
  AND (l.state <> 'uncertain' OR l.due_at <= :now)
  AND (l.thread_id, l.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: insert_messages
-- Messages of threads that were `found`. A mailbox that comes again at the same revision brings further officials, or nothing new; one that was withdrawn
-- at it stays so.
WITH put AS (
    INSERT INTO ledger (
        thread_id, revision, content_id, matter, wave, mailbox, lane, subscription, officials, parts, common_id, not_after,
        state, state_at, reason, moves, queued_at, due_at
    )
    SELECT r.thread_id, s.revision, c.id, s.matter, s.wave, r.mailbox, s.lane, c.subscription, r.officials::text[],
           jsonb_build_array(r.part), r.common_id, c.not_after, first.*, :now, :now
    FROM jsonb_to_recordset(:shared::jsonb) AS s (
        share integer, first integer, last integer, matter text, revision integer, digest text, wave text, lane smallint
    )
    CROSS JOIN LATERAL ROWS FROM (
        jsonb_array_elements((:parts::text[])[s.share + 1]::jsonb), unnest((:officials::text[])[s.first : s.last]),
        unnest((:thread_ids::uuid[])[s.first : s.last]), unnest((:mailboxes::text[])[s.first : s.last]),
        unnest((:common_ids::uuid[])[s.first : s.last])
    ) AS r (part, officials, thread_id, mailbox, common_id)
    JOIN contents AS c ON c.matter = s.matter AND c.revision = s.revision AND c.digest = s.digest
    LEFT JOIN unnest(:known::uuid[], :known_revisions::integer[]) AS newer (id, revision)
        ON newer.id = r.thread_id AND newer.revision > s.revision
    CROSS JOIN LATERAL moved(
        '{}',
        CASE WHEN newer.revision IS NULL THEN 'queued' ELSE 'superseded' END,
        :now,
        'revision ' || newer.revision || ' was known before'
    ) AS first
    WHERE r.thread_id = ANY(:found::uuid[])
    ORDER BY r.thread_id
    ON CONFLICT (thread_id, revision) DO UPDATE
    SET officials = ledger.officials || excluded.officials,
        parts = ledger.parts || whole_parts(excluded.parts, nullif(excluded.common_id, ledger.common_id)),
        claim = ledger.claim + 1
    WHERE ledger.state IN ('queued', 'deferred') AND NOT ledger.officials @> excluded.officials
      AND (ledger.thread_id, ledger.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
      AND NOT EXISTS (SELECT FROM contents AS c WHERE c.id = ledger.content_id AND c.template = 'withdrawal')
    RETURNING matter, revision, mailbox, officials, state, state_at, reason
)
SELECT * FROM put WHERE state <> 'queued'

-- name: withdraw
-- What says that the matter ended stays, so that a withdrawal that comes again changes nothing.
UPDATE ledger AS l
SET (state, state_at, reason, moves) = (SELECT * FROM moved(l.moves, ending_as('unneeded', l.doubts), :now, :reason)),
    worker_id = NULL, claim = l.claim + 1
WHERE l.thread_id = ANY(:thread_ids::uuid[]) AND l.revision <= :revision
  AND l.state IN ('queued', 'deferred', 'uncertain')
  AND (l.thread_id, l.revision) NOT IN (SELECT u.thread_id, u.revision FROM under_way AS u)
  AND (l.state <> 'uncertain' OR l.due_at <= :now OR l.revision = :revision)
  AND NOT EXISTS (
      SELECT FROM contents AS c
      WHERE c.id = l.content_id AND c.template = 'withdrawal' AND l.revision = :revision
  )
RETURNING l.matter, l.revision, l.mailbox, l.officials, l.state, l.state_at, l.reason

-- name: insert_withdrawals!
-- Who was told, or may be by a mail under way, is to be told that it ended; whom the last mail was for is taken over.
-- They believe what they were told, so it helps until that begins.
INSERT INTO ledger (
    thread_id, revision, content_id, matter, wave, mailbox, lane, subscription, officials, parts, common_id, not_after,
    state, state_at, reason, moves, queued_at, due_at
)
SELECT t.id, t.revision, c.id, t.matter, last.wave, t.mailbox, last.lane, last.subscription, last.officials,
       last.parts, last.common_id,
       CASE WHEN last.not_after IS NOT NULL THEN greatest(last.not_after, last.begins_at) END,
       first.*, :now, :now
FROM threads AS t
JOIN contents AS c ON c.matter = t.matter AND c.revision = t.revision AND c.digest = :digest
CROSS JOIN moved('{}', 'queued', :now, NULL) AS first
CROSS JOIN LATERAL (
    SELECT l.wave, l.lane, l.subscription, l.officials, l.parts, l.common_id, l.not_after, told.begins_at
    FROM ledger AS l
    JOIN contents AS told ON told.id = l.content_id
    WHERE l.thread_id = t.id AND l.revision < t.revision
      AND (l.state IN ('sent', 'uncertain', 'unknown')
           OR (l.thread_id, l.revision) IN (SELECT u.thread_id, u.revision FROM under_way AS u))
    ORDER BY l.revision DESC
    LIMIT 1
) AS last
WHERE t.id = ANY(:thread_ids::uuid[]) AND t.revision = :revision
ORDER BY t.id
ON CONFLICT (thread_id, revision) DO NOTHING
