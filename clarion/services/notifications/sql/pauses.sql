-- name: stop_marks!
-- Waits for the turns of crews; none marks or settles anything until the transaction ends, and then none goes by what was
-- known when its mails were claimed.
WITH alone AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtextextended('notifications.pauses', 0))
)
UPDATE grounds SET edition = edition + 1 FROM alone

-- name: save_pauses!
INSERT INTO pauses (matter, wave, revision, paused, changed_at)
SELECT matter, wave, revision, paused, :now
FROM jsonb_to_recordset(:rows::jsonb) AS given (matter text, wave text, revision integer, paused boolean)
ORDER BY matter, wave
ON CONFLICT (matter, wave) DO UPDATE
SET revision = excluded.revision, paused = excluded.paused, changed_at = excluded.changed_at, followed = false
WHERE pauses.revision < excluded.revision

-- name: pauses_of
SELECT wave, revision, paused, changed_at FROM pauses WHERE matter = :matter ORDER BY wave NULLS FIRST

-- name: count_by_wave
-- Each thread of a matter once, by its newest row: a mail under way counts before it, and what was not needed since the
-- last mail said the same counts as sent.
SELECT wave, state, count(*) AS mailboxes
FROM (
    SELECT (array_agg(l.wave ORDER BY l.revision DESC))[1] AS wave,
           CASE WHEN bool_or(l.state = 'sending') THEN 'sending'
                WHEN (array_agg(l.state ORDER BY l.revision DESC))[1] = 'unneeded' AND bool_or(l.state = 'sent') THEN 'sent'
                ELSE (array_agg(l.state ORDER BY l.revision DESC))[1] END AS state
    FROM threads_of(:matter) AS t
    JOIN messages AS l ON l.thread_id = t.id
    GROUP BY t.id
) AS newest
GROUP BY wave, state
ORDER BY wave, state

-- name: unfollow!
-- New messages of these matters are not due either while they are paused.
UPDATE pauses SET followed = false WHERE matter = ANY(:matters::text[]) AND paused AND followed

-- name: unfollowed_pauses
SELECT matter, wave, revision FROM pauses WHERE NOT followed ORDER BY matter, wave

-- name: lock_following$
-- One at a time, each with a look at the pauses of its own: a message that is put aside by an older look would stay there.
SELECT pg_advisory_xact_lock(hashtextextended('notifications.following', 0)) IS NULL

-- name: follow_pauses$
-- The waiting messages of the next threads of a matter, put aside or due again; the last of those threads. Who else has an
-- id in the range is not asked before it is taken: the planner, which thinks that few would be left, read all of a matter.
WITH next AS MATERIALIZED (
    (
        SELECT id FROM threads
        WHERE id > greatest(:after::uuid, first_thread(:matter)) AND id <= last_thread(:matter)
        ORDER BY id LIMIT :room
    )
    UNION
    (SELECT id FROM threads WHERE matter = :matter AND scattered AND id > :after ORDER BY id LIMIT :room)
    ORDER BY id LIMIT :room
), waiting AS MATERIALIZED (
    SELECT l.thread_id, l.revision,
           EXISTS (
               SELECT FROM pauses AS p
               WHERE p.paused AND p.matter = l.matter AND (p.wave IS NULL OR p.wave = l.wave)
           ) AS paused
    FROM next AS n
    JOIN ledger AS l ON l.thread_id = n.id AND l.matter = :matter
    WHERE l.state IN ('queued', 'deferred') AND l.thread_id NOT IN (SELECT h.thread_id FROM in_hand AS h)
), followed AS (
    UPDATE ledger AS l
    SET due_at = CASE WHEN w.paused THEN 'infinity' ELSE :now::timestamptz END
    FROM waiting AS w
    WHERE l.thread_id = w.thread_id AND l.revision = w.revision AND l.state IN ('queued', 'deferred')
      AND (l.due_at = 'infinity') <> w.paused
)
SELECT id FROM next ORDER BY id DESC LIMIT 1

-- name: save_followed!
-- A pause that changed meanwhile is followed again.
UPDATE pauses AS p SET followed = true
FROM jsonb_to_recordset(:rows::jsonb) AS seen (matter text, wave text, revision integer)
WHERE p.matter = seen.matter AND p.wave IS NOT DISTINCT FROM seen.wave AND p.revision = seen.revision
