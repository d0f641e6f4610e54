-- name: purge_threads$
-- Threads with all they were told, of matters that nobody asked for since `before` and that were over by then. So whoever
-- may still be told of a change is told the difference to what they know. Sent again by staff, a mail counts from then.
WITH over AS MATERIALIZED (
    SELECT matter
    FROM contents
    WHERE saved_at < :before
    GROUP BY matter
    HAVING NOT EXISTS (
        SELECT FROM contents AS one
        WHERE one.matter = contents.matter AND greatest(one.saved_at, one.not_after, one.begins_at) >= :before
    )
), told AS MATERIALIZED (
    SELECT t.id
    FROM over
    CROSS JOIN LATERAL threads_of(over.matter) AS t
    WHERE NOT EXISTS (
        SELECT FROM ledger AS l
        WHERE l.thread_id = t.id AND (l.state_at >= :before OR NOT l.state = ANY(:final::text[]))
    )
    LIMIT :at_most
), gone AS MATERIALIZED (
    SELECT id FROM threads WHERE id IN (SELECT id FROM told) FOR UPDATE SKIP LOCKED
), messages_gone AS (
    DELETE FROM ledger AS l USING gone WHERE l.thread_id = gone.id RETURNING 1
), threads_gone AS (
    DELETE FROM threads AS t USING gone WHERE t.id = gone.id RETURNING 1
)
SELECT (SELECT count(*) FROM messages_gone) + (SELECT count(*) FROM threads_gone)

-- name: purge_contents$
-- What no thread of its matter is left to need, and the pauses of such a matter with what its recipients had in common.
WITH unneeded AS MATERIALIZED (
    SELECT c.id, c.matter
    FROM contents AS c
    WHERE c.saved_at < :before
      AND NOT EXISTS (
          SELECT FROM contents AS one
          WHERE one.matter = c.matter AND greatest(one.saved_at, one.not_after, one.begins_at) >= :before
      )
      AND NOT EXISTS (SELECT FROM threads_of(c.matter))
    LIMIT :at_most
), pauses_gone AS (
    DELETE FROM pauses AS p USING unneeded WHERE p.matter = unneeded.matter RETURNING 1
), commons_gone AS (
    DELETE FROM commons AS c USING (SELECT DISTINCT matter FROM unneeded) AS one
    WHERE c.id BETWEEN first_thread(one.matter) AND last_thread(one.matter) AND c.matter = one.matter
    RETURNING 1
), contents_gone AS (
    DELETE FROM contents AS c USING unneeded WHERE c.id = unneeded.id RETURNING 1
)
SELECT (SELECT count(*) FROM contents_gone) + (SELECT count(*) FROM pauses_gone) + (SELECT count(*) FROM commons_gone)

-- name: purge_wishes$
WITH purged AS (
    DELETE FROM wishes
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM wishes WHERE asked_at < :before LIMIT :at_most))
    RETURNING 1
)
SELECT count(*) FROM purged
