-- name: stop_marks$
-- Waits for the marks under way; none is made until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('notifications.pauses', 0)) IS NULL

-- name: save_pauses!
INSERT INTO pauses (matter, wave, revision, paused, changed_at)
SELECT matter, wave, revision, paused, :now
FROM jsonb_to_recordset(:rows::jsonb) AS given (matter text, wave text, revision integer, paused boolean)
ORDER BY matter, wave
ON CONFLICT (matter, wave) DO UPDATE
SET revision = excluded.revision, paused = excluded.paused, changed_at = excluded.changed_at
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
    FROM threads AS t
    JOIN ledger AS l ON l.thread_id = t.id
    WHERE t.matter = :matter
    GROUP BY t.id
) AS newest
GROUP BY wave, state
ORDER BY wave, state
