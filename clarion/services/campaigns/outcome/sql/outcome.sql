-- name: campaign_of_outcome^
SELECT id AS campaign, title, status FROM campaigns WHERE id = :campaign;

-- name: cities_of_outcome
-- Each city of a campaign, with the officials who would be asked there, those who were by what became of it, and the
-- members of the committee who represent it. All else is a sum of these.
WITH people AS MATERIALIZED (
    SELECT city, count(*) AS officials
    FROM asked_of(:campaign::text, :letter_roles::text[])
    GROUP BY city
), called AS MATERIALIZED (
    SELECT city, count(*) AS asked,
           count(*) FILTER (WHERE state = 'sent') AS reached,
           count(*) FILTER (WHERE state = 'bounced') AS bounced,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state = 'suppressed') AS suppressed,
           count(*) FILTER (WHERE state = 'unknown') AS in_doubt,
           count(*) FILTER (WHERE state = 'pending') AS pending
    FROM newest_outcomes(:campaign::text)
    GROUP BY city
)
SELECT coalesce(w.city, k.city) AS city, coalesce(w.name, t.name, k.city) AS name,
       coalesce(w.division, t.division, '') AS slug,
       coalesce(d.name, nullif(coalesce(w.division, t.division, ''), ''), 'no division') AS division,
       coalesce(p.officials, 0) AS officials, coalesce(k.asked, 0) AS asked, coalesce(k.reached, 0) AS reached,
       coalesce(k.bounced, 0) AS bounced, coalesce(k.failed, 0) AS failed, coalesce(k.suppressed, 0) AS suppressed,
       coalesce(k.in_doubt, 0) AS in_doubt, coalesce(k.pending, 0) AS pending,
       c.status IN ('drafted', 'launched') AND c.ends_at > :now AND coalesce(c.launch, 'approval') = 'approval'
           AND coalesce(a.state, 'waiting') = 'waiting' AS waits,
       w.city IS NOT NULL AS is_affected,
       (SELECT jsonb_agg(r) FROM jsonb_array_elements(w.reasons) AS r WHERE r ->> 'kind' = 'committee') AS members
FROM (SELECT * FROM campaign_cities WHERE campaign = :campaign) AS w
FULL JOIN called AS k ON k.city = w.city
LEFT JOIN people AS p ON p.city = w.city
JOIN campaigns AS c ON c.id = :campaign
LEFT JOIN cities AS t ON t.id = k.city
LEFT JOIN divisions AS d ON d.id = coalesce(w.division, t.division)
LEFT JOIN approvals AS a ON a.campaign = c.id AND a.division = coalesce(w.division, t.division, '')
ORDER BY name, city;
