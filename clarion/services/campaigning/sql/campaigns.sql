-- name: page_of_campaigns
-- Those that still count first, of them what ends soonest; then what is over, the latest first. Numbers are looked up
-- for this page alone.
WITH shown AS MATERIALIZED (
    SELECT c.*, c.status <> 'closed' AND c.ends_at > :now AS is_open
    FROM campaigns AS c
    WHERE :divisions::text[] IS NULL
        OR EXISTS (SELECT FROM waves AS w WHERE w.campaign = c.id AND w.division = ANY (:divisions::text[]))
    ORDER BY is_open DESC, CASE WHEN c.status <> 'closed' AND c.ends_at > :now THEN c.ends_at END, c.ends_at DESC, c.id
    LIMIT :at_most OFFSET :skipped
)
SELECT c.id, c.title, c.status, c.problem, c.held, c.officials, c.divisions, c.is_open, k.asked, k.reached
FROM shown AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS asked, count(*) FILTER (WHERE state = 'sent') AS reached FROM newest_outcomes(c.id)
) AS k
ORDER BY c.is_open DESC, CASE WHEN c.is_open THEN c.ends_at END, c.ends_at DESC, c.id;
