-- name: find_waves
-- Waves with what was decided of them, those whose use ends first first. The division '*' stands for the bills that came
-- to a launched campaign. What goes by itself waits for nobody. With a place only those behind it.
WITH staffed AS (
    SELECT d.division FROM clarion.staff_divisions AS d
    JOIN clarion.staff AS s ON s.id = d.staff_id AND s.role = 'manager' AND s.removed_at IS NULL
), parts AS (
    SELECT campaign, division, cities, officials FROM waves
    UNION ALL
    SELECT a.campaign, a.division, c.cities, c.officials
    FROM approvals AS a JOIN campaigns AS c ON c.id = a.campaign
    WHERE a.division = '*'
), found AS (
    SELECT p.campaign, p.division, p.cities, p.officials, c.title, c.status, c.problem, c.launch, c.letters_due_at,
           c.ends_at, c.told_until, c.message, c.hearing, h.alert ->> 'status' AS hearing_status, h.alert ->> 'zone' AS zone,
           coalesce(d.name, CASE p.division WHEN '*' THEN 'All divisions' WHEN '' THEN 'No division'
                                            ELSE p.division END) AS name,
           CASE WHEN c.launch = 'auto' AND p.division <> '*' AND coalesce(a.state, 'waiting') = 'waiting' THEN 'approved'
                ELSE coalesce(a.state, 'waiting') END AS state,
           coalesce(a.revision, 0) AS revision, a.look, a.reason, name_of_actor(a.decided_by) AS decided_by, a.decided_at,
           a.paragraph, a.held, coalesce(a.since, c.created_at) AS since,
           EXISTS (SELECT FROM pauses AS s WHERE s.campaign = c.id AND s.paused
                   AND (s.division IS NULL OR s.division = p.division)) AS paused,
           p.division IN (SELECT division FROM staffed) AS has_account,
           CASE WHEN c.letters_due_at > :now THEN least(c.letters_due_at, c.ends_at) ELSE c.ends_at END AS useless_at
    FROM parts AS p
    JOIN campaigns AS c ON c.id = p.campaign
    JOIN hearings AS h ON h.id = c.hearing
    LEFT JOIN approvals AS a ON a.campaign = p.campaign AND a.division = p.division
    LEFT JOIN divisions AS d ON d.id = p.division
    WHERE (:campaign::text IS NULL OR p.campaign = :campaign) AND (:division::text IS NULL OR p.division = :division)
      AND (:divisions::text[] IS NULL OR p.division = ANY (:divisions::text[]))
      AND (NOT :waiting::boolean OR (c.ends_at > :now AND c.status IN ('drafted', 'launched') AND p.officials > 0))
)
SELECT * FROM found
WHERE (NOT :waiting::boolean OR state = 'waiting')
  AND (:after_useless::timestamptz IS NULL
       OR (useless_at, campaign, division = '', division)
          > (:after_useless, :after_campaign::text, :after_division::text = '', :after_division))
ORDER BY useless_at, campaign, division = '', division
LIMIT :at_most;

-- name: count_waves
-- Of each wave the mailboxes, who would write and who would speak, and who was left out or added by hand.
SELECT w.campaign, w.division, k.mailboxes, k.writes, k.speaks, x.left_out, x.added
FROM unnest(:campaigns::text[], :divisions::text[]) AS w (campaign, division)
JOIN campaigns AS c ON c.id = w.campaign
CROSS JOIN LATERAL (
    SELECT count(DISTINCT a.mailbox) AS mailboxes,
           count(*) FILTER (WHERE a.writes) AS writes, count(*) FILTER (WHERE a.speaks) AS speaks
    FROM asked_of(c.id, :letter_roles::text[]) AS a
    WHERE w.division = '*' OR coalesce(a.division, '') = w.division
) AS k
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE NOT x.included) AS left_out, count(*) FILTER (WHERE x.included) AS added
    FROM choices AS x
    JOIN officials AS o ON o.id = x.official AND o.active
    JOIN campaign_cities AS p ON p.campaign = x.campaign AND p.city = o.city
    WHERE x.campaign = c.id AND (w.division = '*' OR coalesce(p.division, '') = w.division)
) AS x;

-- name: verdicts_of_wave
SELECT v.decided_at AS at, name_of_actor(v.decided_by) AS by, v.state AS what, v.reason, NULL AS official
FROM verdicts AS v
WHERE v.campaign = :campaign AND v.division = :division
UNION ALL
SELECT x.chosen_at, name_of_actor(x.chosen_by), CASE WHEN x.included THEN 'added' ELSE 'left out' END, x.reason, x.official
FROM choices AS x
JOIN officials AS o ON o.id = x.official
JOIN campaign_cities AS p ON p.campaign = x.campaign AND p.city = o.city
WHERE x.campaign = :campaign AND coalesce(p.division, '') = :division
ORDER BY 1 DESC, 3
LIMIT :at_most;

-- name: recipients_of_wave
-- Whom a wave asks, or would, and who was left out; by city, from behind the official `after` on.
WITH audience AS (
    SELECT official, city, writes, speaks, own, true AS included
    FROM asked_of(:campaign::text, :letter_roles::text[])
    UNION ALL
    SELECT x.official, o.city, false, false, NULL, false
    FROM choices AS x JOIN officials AS o ON o.id = x.official AND o.active
    WHERE x.campaign = :campaign AND NOT x.included
), last AS (
    SELECT p.name, o.id FROM officials AS o JOIN campaign_cities AS p ON p.campaign = :campaign AND p.city = o.city
    WHERE o.id = :after
)
SELECT a.official, o.mailbox, p.name AS city, o.role_keys AS roles, p.reasons, a.own, a.writes, a.speaks, a.included,
       x.reason
FROM audience AS a
JOIN officials AS o ON o.id = a.official
JOIN campaign_cities AS p ON p.campaign = :campaign AND p.city = a.city
LEFT JOIN choices AS x ON x.campaign = :campaign AND x.official = a.official
WHERE (:division = '*' OR coalesce(p.division, '') = :division)
  AND (:officials::text[] IS NULL OR a.official = ANY (:officials::text[]))
  AND (:after::text = '' OR (p.name, a.official) > (SELECT name, id FROM last))
ORDER BY p.name, a.official
LIMIT :at_most;

-- name: asked_mailbox^
-- The mailbox of an official as a wave asks it, or would: all its people there.
SELECT a.mailbox, min(a.bucket) AS bucket, array_agg(a.official ORDER BY a.official) AS officials,
       array_agg(DISTINCT a.city) AS cities, bool_or(a.writes) AS writes, bool_or(a.speaks) AS speaks,
       jsonb_agg(a.own) FILTER (WHERE a.own IS NOT NULL) AS own
FROM asked_of(:campaign::text, :letter_roles::text[]) AS a
WHERE a.mailbox = (SELECT o.mailbox FROM officials AS o WHERE o.id = :official)
GROUP BY a.mailbox
HAVING bool_or(a.official = :official AND coalesce(a.division, '') = :division);

-- name: occasion_of_campaign$
SELECT h.alert FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing WHERE c.id = :campaign;

-- name: save_verdict!
WITH kept AS (
    INSERT INTO approvals (campaign, division, state, revision, look, reason, decided_by, decided_at)
    VALUES (:campaign, :division, :state, :revision, :look, :reason, :by, :now)
    ON CONFLICT (campaign, division) DO UPDATE SET
        state = excluded.state, revision = excluded.revision, look = excluded.look, reason = excluded.reason,
        decided_by = excluded.decided_by, decided_at = excluded.decided_at
)
INSERT INTO verdicts (campaign, division, revision, state, reason, decided_by, decided_at)
VALUES (:campaign, :division, :revision, :state, :reason, :by, :now);

-- name: allow_bills!
UPDATE campaigns SET approved_bills = ARRAY(
    SELECT DISTINCT key FROM unnest(approved_bills || :bill_keys::text[]) AS key ORDER BY key)
WHERE id = :campaign;

-- name: begin_waiting!
-- Waves that are there and were never decided on wait from now on.
INSERT INTO approvals (campaign, division, state, revision, since)
SELECT w.campaign, w.division, 'waiting', 0, :now FROM waves AS w
WHERE w.campaign = :campaign AND w.officials > 0
ON CONFLICT (campaign, division) DO NOTHING;

-- name: count_waiting$
SELECT count(*) FROM waves AS w
JOIN approvals AS a ON a.campaign = w.campaign AND a.division = w.division AND a.state = 'waiting'
WHERE w.campaign = :campaign AND w.officials > 0;

-- name: approved_unasked
-- Waves that were approved and of which nobody was asked yet, also not in a mailbox that counts for another division.
SELECT a.division, a.look, a.paragraph, a.revision FROM approvals AS a
WHERE a.campaign = :campaign AND a.state = 'approved' AND a.look IS NOT NULL AND a.division <> '*'
  AND NOT EXISTS (SELECT FROM threads AS t WHERE t.campaign = a.campaign AND t.division = a.division)
  AND NOT EXISTS (SELECT FROM calls AS k WHERE k.campaign = a.campaign AND k.division = a.division);

-- name: wait_again!
-- What was approved is not what its recipients would read: it waits, and its people are told anew.
WITH kept AS (
    UPDATE approvals SET
        state = 'waiting', revision = :revision, look = NULL, reason = :reason, decided_by = NULL, decided_at = NULL,
        since = :now, told_at = NULL, urgent_for = NULL
    WHERE campaign = :campaign AND division = :division
)
INSERT INTO verdicts (campaign, division, revision, state, reason, decided_by, decided_at)
VALUES (:campaign, :division, :revision, 'waiting', :reason, NULL, :now);

-- name: find_held^
SELECT state, look, revision, held FROM approvals WHERE campaign = :campaign AND division = '*';

-- name: hold!
-- Bills came to a launched campaign that it may not ask about by itself, or other words for them.
INSERT INTO approvals (campaign, division, state, revision, since, held)
VALUES (:campaign, '*', 'waiting', 0, :now, :held)
ON CONFLICT (campaign, division) DO UPDATE SET
    state = 'waiting', since = :now, told_at = NULL, urgent_for = NULL, held = excluded.held, look = NULL, reason = NULL,
    decided_by = NULL, decided_at = NULL, revision = approvals.revision + 1;

-- name: let_held_go!
-- Nothing is held any more, and nothing was decided.
DELETE FROM approvals WHERE campaign = :campaign AND division = '*' AND state = 'waiting';

-- name: save_paragraph!
INSERT INTO approvals (campaign, division, state, revision, since, paragraph)
VALUES (:campaign, :division, 'waiting', 0, :now, :paragraph)
ON CONFLICT (campaign, division) DO UPDATE SET paragraph = excluded.paragraph;

-- name: official_for_wave^
-- Whether somebody is in office in the division, what is asked of them, and what was chosen by hand.
SELECT o.id, o.mailbox, x.included AS chosen,
       EXISTS (SELECT FROM asked_of(:campaign::text, :letter_roles::text[]) AS a WHERE a.official = o.id) AS asked
FROM officials AS o
JOIN cities AS i ON i.id = o.city AND i.active
LEFT JOIN choices AS x ON x.campaign = :campaign AND x.official = o.id
WHERE o.id = :official AND o.active AND coalesce(i.division, '') = :division;

-- name: save_choice!
INSERT INTO choices (campaign, official, included, asks, reason, chosen_by, chosen_at)
VALUES (:campaign, :official, :included, :asks, :reason, :by, :now)
ON CONFLICT (campaign, official) DO UPDATE SET
    included = excluded.included, asks = excluded.asks, reason = excluded.reason, chosen_by = excluded.chosen_by,
    chosen_at = excluded.chosen_at;

-- name: delete_choice!
DELETE FROM choices WHERE campaign = :campaign AND official = :official;

-- name: reasons_to_end
-- Why mailboxes that were told are concerned no more from now on, where somebody decided so: all who read one were left
-- out, or the wave was stopped.
SELECT t.mailbox, CASE WHEN bool_and(x.official IS NOT NULL) THEN min(x.reason) END AS left_out, min(a.reason) AS stopped
FROM threads AS t
LEFT JOIN approvals AS a ON a.campaign = t.campaign AND a.division = t.division AND a.state IN ('stopped', 'rejected')
LEFT JOIN calls AS k ON k.campaign = t.campaign AND k.mailbox = t.mailbox AND k.ended_at = :now
LEFT JOIN choices AS x ON x.campaign = t.campaign AND x.official = k.official AND NOT x.included
WHERE t.campaign = :campaign AND t.bucket = ANY (:buckets::smallint[]) AND t.mailbox = ANY (:mailboxes::text[])
GROUP BY t.mailbox;

-- name: server_time$
SELECT now();
