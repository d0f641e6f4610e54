-- name: list_campaigns
-- Those whom a campaign concerns as it stands. Reached is who was sent the newest revision, or an older one that said
-- the same. Calls are counted for the campaigns that are shown alone.
SELECT c.id, c.title, c.status, c.problem, c.held, c.ends_at, c.not_after, c.letters_due_at, c.divisions, c.cities,
       c.officials, c.hearing, c.bills, c.revision, c.told_revision, c.created_at, c.changed_at, c.launched_at,
       c.due AS due_source, k.asked, k.mailboxes, k.reached, k.failed, k.other
FROM (
    SELECT w.* FROM campaigns AS w LEFT JOIN campaigns AS last ON last.id = :after::text
    WHERE (:id::text IS NULL OR w.id = :id) AND (NOT :coming::boolean OR (w.status <> 'closed' AND w.ends_at > :now))
      AND (:after::text IS NULL OR w.ends_at < last.ends_at OR (w.ends_at = last.ends_at AND w.id > last.id))
    ORDER BY w.ends_at DESC, w.id LIMIT :at_most OFFSET :skipped
) AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS asked, count(DISTINCT mailbox) AS mailboxes,
           count(*) FILTER (WHERE state = 'sent') AS reached,
           count(*) FILTER (WHERE state IN ('failed', 'bounced', 'unknown')) AS failed,
           count(*) FILTER (WHERE state NOT IN ('sent', 'failed', 'bounced', 'unknown', 'pending')) AS other
    FROM newest_outcomes(c.id)
) AS k
ORDER BY c.ends_at DESC, c.id;

-- name: is_campaign$
SELECT EXISTS (SELECT FROM campaigns WHERE id = :id);

-- name: outcomes_of_campaign
SELECT state AS outcome, count(*) AS officials FROM newest_outcomes(:campaign::text) GROUP BY 1 ORDER BY 1;

-- name: waves_of_campaign
-- Those of a campaign that goes by itself wait for nobody.
SELECT w.division AS slug, coalesce(d.name, nullif(w.division, ''), 'no division') AS division, d.manager_name AS manager,
       CASE WHEN c.launch = 'auto' AND coalesce(a.state, 'waiting') = 'waiting' THEN 'approved'
            ELSE coalesce(a.state, 'waiting') END AS state,
       w.cities, w.officials, count(k.official) AS asked,
       count(*) FILTER (WHERE k.state = 'sent') AS reached,
       count(*) FILTER (WHERE k.state IN ('failed', 'bounced', 'unknown')) AS failed
FROM waves AS w
JOIN campaigns AS c ON c.id = w.campaign
LEFT JOIN approvals AS a ON a.campaign = w.campaign AND a.division = w.division
LEFT JOIN divisions AS d ON d.id = w.division
LEFT JOIN newest_outcomes(:campaign::text) AS k ON k.division = w.division
WHERE w.campaign = :campaign
GROUP BY w.division, d.name, d.manager_name, c.launch, a.state, w.cities, w.officials
ORDER BY w.division = '', w.division;

-- name: told_of_campaign
SELECT revision, told_at, changed FROM told WHERE campaign = :campaign ORDER BY revision;

-- name: reasons_of_campaign
-- Those of cities, then those of people who stand there by themselves, with how many cities they are of.
SELECT kind, name AS legislator, role, district, cities
FROM (
    SELECT r ->> 'kind' AS kind, r ->> 'name' AS name, r ->> 'role' AS role, r ->> 'district' AS district,
           count(*) AS cities, (r ->> 'rank')::integer AS rank
    FROM campaign_cities AS c CROSS JOIN LATERAL jsonb_array_elements(c.reasons) AS r
    WHERE c.campaign = :campaign
    GROUP BY 1, 2, 3, 4, (r ->> 'rank')::integer
    UNION ALL
    SELECT r ->> 'kind', g.name, r ->> 'role', NULL, count(DISTINCT o.city), NULL
    FROM campaign_people AS p
    CROSS JOIN LATERAL jsonb_array_elements(p.reasons) AS r
    JOIN officials AS o ON o.id = p.official
    LEFT JOIN groups AS g ON g.id = r ->> 'group'
    WHERE p.campaign = :campaign
    GROUP BY 1, 2, 3
) AS found
ORDER BY rank NULLS LAST, cities DESC, name;

-- name: any_job_open$
SELECT EXISTS (SELECT FROM fanout_jobs WHERE campaign = :campaign AND done_at IS NULL);
