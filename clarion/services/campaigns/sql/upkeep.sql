-- name: purge_calls$
-- Whom campaigns called that are closed for so long; how many that were stays with the campaign.
WITH over AS MATERIALIZED (
    SELECT id FROM campaigns WHERE status = 'closed' AND ends_at < :before AND changed_at < :before
), calls_gone AS (
    DELETE FROM calls
    WHERE ctid = ANY (ARRAY(SELECT k.ctid FROM over JOIN calls AS k ON k.campaign = over.id LIMIT :at_most))
    RETURNING 1
), threads_gone AS (
    DELETE FROM threads
    WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM over JOIN threads AS t ON t.campaign = over.id LIMIT :at_most))
    RETURNING 1
), jobs_gone AS (
    DELETE FROM fanout_jobs
    WHERE ctid = ANY (ARRAY(SELECT j.ctid FROM over JOIN fanout_jobs AS j ON j.campaign = over.id LIMIT :at_most))
    RETURNING 1
), choices_gone AS (
    DELETE FROM choices
    WHERE ctid = ANY (ARRAY(SELECT x.ctid FROM over JOIN choices AS x ON x.campaign = over.id LIMIT :at_most))
    RETURNING 1
), people_gone AS (
    DELETE FROM campaign_people
    WHERE ctid = ANY (ARRAY(SELECT p.ctid FROM over JOIN campaign_people AS p ON p.campaign = over.id LIMIT :at_most))
    RETURNING 1
)
SELECT (SELECT count(*) FROM calls_gone) + (SELECT count(*) FROM threads_gone) + (SELECT count(*) FROM jobs_gone)
     + (SELECT count(*) FROM choices_gone) + (SELECT count(*) FROM people_gone)
