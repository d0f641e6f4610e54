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
SELECT c.id, c.title, c.status, c.problem, c.held, c.officials, c.divisions, c.is_open, k.asked, k.reached, w.waiting
FROM shown AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS asked, count(*) FILTER (WHERE state = 'sent') AS reached FROM newest_outcomes(c.id)
) AS k
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE coalesce(a.state, 'waiting') = 'waiting') AS waiting
    FROM waves AS w LEFT JOIN approvals AS a ON a.campaign = w.campaign AND a.division = w.division
    WHERE w.campaign = c.id AND w.officials > 0 AND c.is_open AND c.status IN ('drafted', 'launched')
        AND coalesce(c.launch, 'approval') = 'approval'
        AND (:divisions::text[] IS NULL OR w.division = ANY (:divisions::text[]))
) AS w
ORDER BY c.is_open DESC, CASE WHEN c.is_open THEN c.ends_at END, c.ends_at DESC, c.id;

-- name: count_waiting^
-- How many divisions' calls wait for approval, and until when the first of them helps. '*' are bills that came later.
SELECT count(*) AS waiting,
       min(CASE WHEN c.letters_due_at > :now THEN least(c.letters_due_at, c.ends_at) ELSE c.ends_at END) AS useless_at,
       (array_agg(h.alert ->> 'zone' ORDER BY c.ends_at))[1] AS zone
FROM campaigns AS c
JOIN hearings AS h ON h.id = c.hearing
CROSS JOIN LATERAL (
    SELECT w.division FROM waves AS w
    LEFT JOIN approvals AS a ON a.campaign = c.id AND a.division = w.division
    WHERE w.campaign = c.id AND w.officials > 0 AND coalesce(a.state, 'waiting') = 'waiting'
        AND coalesce(c.launch, 'approval') = 'approval'
    UNION ALL
    SELECT a.division FROM approvals AS a WHERE a.campaign = c.id AND a.division = '*' AND a.state = 'waiting'
        AND c.officials > 0
) AS w
WHERE c.ends_at > :now AND c.status IN ('drafted', 'launched')
    AND (:divisions::text[] IS NULL OR w.division = ANY (:divisions::text[]));

-- name: standing_of_waves
-- What was decided of each division; without a decision it waits, or goes by itself. '*' are bills that came later.
SELECT w.division, coalesce(a.state, CASE c.launch WHEN 'auto' THEN 'auto' ELSE 'waiting' END) AS state,
       coalesce(p.paused, false) OR coalesce(whole.paused, false) AS paused
FROM campaigns AS c
JOIN waves AS w ON w.campaign = c.id
LEFT JOIN approvals AS a ON a.campaign = c.id AND a.division = w.division
LEFT JOIN pauses AS p ON p.campaign = c.id AND p.division = w.division
LEFT JOIN pauses AS whole ON whole.campaign = c.id AND whole.division IS NULL
WHERE c.id = :campaign AND c.status <> 'waiting'
UNION ALL
SELECT a.division, a.state, false FROM approvals AS a WHERE a.campaign = :campaign AND a.division = '*';

-- name: zone_of_campaign$
SELECT h.alert ->> 'zone' FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing WHERE c.id = :campaign;

-- name: linked_campaigns
-- The campaigns from which this one was drafted, and those that were drafted from it.
SELECT c.id, c.title, f.campaign = :campaign AS is_before
FROM followed AS f
JOIN campaigns AS c ON c.id = CASE WHEN f.campaign = :campaign THEN f.follows ELSE f.campaign END
WHERE f.campaign = :campaign OR f.follows = :campaign
ORDER BY f.at, c.id;

-- name: drafted_from
-- What waits for its next hearing.
SELECT f.id, f.bill, f.follows, f.committee ->> 'name' AS committee, f.amended_on
FROM follow_ups AS f
WHERE f.follows = :campaign AND f.state = 'waiting'
ORDER BY f.drafted_at, f.id;
