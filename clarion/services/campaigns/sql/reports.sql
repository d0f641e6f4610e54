-- name: list_campaigns
SELECT c.id, c.title, c.status, c.problem, c.held, c.ends_at, c.not_after, c.letters_due_at, c.divisions, c.cities,
       c.officials, c.hearing, c.bills, c.revision, c.created_at, c.changed_at, c.launched_at,
       k.asked, k.mailboxes, k.reached, k.failed, k.other
FROM campaigns AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS asked, count(DISTINCT mailbox) AS mailboxes,
           count(*) FILTER (WHERE outcome = 'sent') AS reached,
           count(*) FILTER (WHERE outcome IN ('failed', 'unknown')) AS failed,
           count(*) FILTER (WHERE outcome NOT IN ('sent', 'failed', 'unknown')) AS other
    FROM calls WHERE calls.campaign = c.id
) AS k
WHERE (:id::text IS NULL OR c.id = :id)
ORDER BY c.ends_at DESC, c.id;

-- name: outcomes_of_campaign
SELECT coalesce(outcome, 'pending') AS outcome, count(*) AS officials FROM calls
WHERE campaign = :campaign GROUP BY 1 ORDER BY 1;

-- name: waves_of_campaign
SELECT w.division AS slug, coalesce(d.name, nullif(w.division, ''), 'no division') AS division, d.manager_name AS manager,
       w.cities, w.officials, count(k.official) AS asked,
       count(*) FILTER (WHERE k.outcome = 'sent') AS reached,
       count(*) FILTER (WHERE k.outcome IN ('failed', 'unknown')) AS failed
FROM waves AS w
LEFT JOIN divisions AS d ON d.id = w.division
LEFT JOIN calls AS k ON k.campaign = w.campaign AND k.division = w.division
WHERE w.campaign = :campaign
GROUP BY w.division, d.name, d.manager_name, w.cities, w.officials
ORDER BY w.division = '', w.division;

-- name: reasons_of_campaign
SELECT r ->> 'kind' AS kind, r ->> 'name' AS legislator, r ->> 'role' AS role, r ->> 'district' AS district,
       count(*) AS cities
FROM campaign_cities AS c CROSS JOIN LATERAL jsonb_array_elements(c.reasons) AS r
WHERE c.campaign = :campaign
GROUP BY 1, 2, 3, 4, (r ->> 'rank')::integer
ORDER BY (r ->> 'rank')::integer, count(*) DESC, 2;
