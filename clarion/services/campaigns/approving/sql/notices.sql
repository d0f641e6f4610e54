-- name: untold^
-- How many waves wait of which nobody was told, or that became urgent since: less than a day, or the last quarter of its
-- time, is left (states.urgent_from). And since when those wait of which nobody was told.
SELECT count(*) AS waves, min(a.since) FILTER (WHERE a.told_at IS NULL) AS oldest,
       max(a.since) FILTER (WHERE a.told_at IS NULL) AS newest
FROM approvals AS a
JOIN campaigns AS c ON c.id = a.campaign AND c.status IN ('drafted', 'launched') AND c.ends_at > :now
LEFT JOIN waves AS w ON w.campaign = a.campaign AND w.division = a.division
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.letters_due_at > :now THEN least(c.letters_due_at, c.ends_at) ELSE c.ends_at END AS useless_at
) AS u
WHERE a.state = 'waiting' AND (a.division = '*' OR (w.officials > 0 AND c.launch = 'approval'))
  AND (a.told_at IS NULL
       OR (a.urgent_for IS DISTINCT FROM u.useless_at
           AND u.useless_at - greatest(interval '24 hours', (u.useless_at - a.since) / 4) <= :now));

-- name: list_waiting
SELECT a.campaign, a.division, c.title, a.since, a.told_at, a.urgent_for, h.alert ->> 'zone' AS zone,
       coalesce(w.officials, c.officials) AS officials,
       coalesce(d.name, CASE a.division WHEN '*' THEN 'all divisions' WHEN '' THEN 'no division'
                                        ELSE a.division END) AS name,
       d.manager_name, d.manager_email,
       CASE WHEN c.letters_due_at > :now THEN least(c.letters_due_at, c.ends_at) ELSE c.ends_at END AS useless_at
FROM approvals AS a
JOIN campaigns AS c ON c.id = a.campaign AND c.status IN ('drafted', 'launched') AND c.ends_at > :now
JOIN hearings AS h ON h.id = c.hearing
LEFT JOIN waves AS w ON w.campaign = a.campaign AND w.division = a.division
LEFT JOIN divisions AS d ON d.id = a.division AND d.active
WHERE a.state = 'waiting' AND (a.division = '*' OR (w.officials > 0 AND c.launch = 'approval'))
ORDER BY a.since, a.campaign, a.division;

-- name: mark_told!
UPDATE approvals AS a SET told_at = coalesce(a.told_at, :now), urgent_for = coalesce(t.urgent_for, a.urgent_for)
FROM unnest(:campaigns::text[], :divisions::text[], :urgent_for::timestamptz[]) AS t (campaign, division, urgent_for)
WHERE a.campaign = t.campaign AND a.division = t.division AND a.state = 'waiting';
