-- name: clear_people!
DELETE FROM campaign_people WHERE campaign = :campaign;

-- name: roles_in_groups
-- The roles that people have in these groups today.
SELECT DISTINCT g.id AS "group", g.name, m.role_key AS role
FROM groups AS g JOIN memberships AS m ON m.group_id = g.id AND m.member_kind = 'official'
WHERE g.id = ANY (:groups::text[]) AND g.active
  AND (m.since IS NULL OR m.since <= :today::date) AND (m.until IS NULL OR m.until >= :today::date);

-- name: plan_audience!
-- Within a kind any of the names will do, between kinds all have to fit: a city has to be hit by every kind of place that
-- is used. Without groups whole cities are asked; with them the cities that are members, and people who are, in cities
-- that fit. Who was chosen by hand is asked whatever the rest says. Within CASE the planner, who knows nothing of how many
-- they are, looks them up in a hash.
WITH audience AS MATERIALIZED (
    SELECT * FROM jsonb_to_record(:audience::jsonb) AS a (
        divisions text[], cities text[], groups text[], roles text[], districts text[], committees text[],
        officials text[], members boolean, statewide boolean)
), hits AS (
    SELECT c.id AS city, 'division' AS kind, :division_rank::integer AS rank, d.id AS key, d.name, NULL AS role,
           NULL AS committee, NULL AS chamber, NULL AS district, NULL::double precision AS share
    FROM audience AS a JOIN divisions AS d ON d.id = ANY (a.divisions) JOIN cities AS c ON c.division = d.id
    UNION ALL
    SELECT c.id, 'city', :city_rank, c.id, c.name, NULL, NULL, NULL, NULL, NULL
    FROM audience AS a JOIN cities AS c ON c.id = ANY (a.cities)
    UNION ALL
    SELECT s.city, 'district', :district_rank, d.id, NULL, NULL, NULL, d.chamber, d.id, s.share
    FROM audience AS a
    JOIN districts AS d ON d.id = ANY (a.districts) AND d.active
    JOIN city_districts AS s ON s.district = d.id
    UNION ALL
    SELECT s.city, 'committee', m.rank, m.legislator, m.name, m.role, m.committee, m.chamber, m.district, s.share
    FROM jsonb_to_recordset(:seats::jsonb) AS m (
        legislator text, name text, role text, committee text, rank integer, chamber text, district text)
    JOIN districts AS d ON d.id = m.district AND d.active
    JOIN city_districts AS s ON s.district = d.id
), placed AS (
    SELECT city, count(DISTINCT kind) AS kinds FROM hits GROUP BY city
), fits AS MATERIALIZED (
    SELECT c.id
    FROM audience AS a
    JOIN cities AS c ON c.active AND (a.members IS NULL OR c.member = a.members)
    LEFT JOIN placed AS p ON p.city = c.id
    WHERE (a.statewide OR cardinality(a.divisions || a.cities || a.groups || a.districts || a.committees) > 0)
      AND coalesce(p.kinds, 0) = (cardinality(a.divisions) > 0)::integer + (cardinality(a.cities) > 0)::integer
                                 + (cardinality(a.districts) > 0)::integer + (cardinality(a.committees) > 0)::integer
), in_groups AS MATERIALIZED (
    SELECT m.member_kind, m.member, g.id AS key, g.name, m.role_key AS role
    FROM audience AS a
    CROSS JOIN LATERAL unnest(a.groups) AS wanted (name)
    JOIN groups AS g ON g.id = split_part(wanted.name, ':', 1) AND g.active
    JOIN memberships AS m ON m.group_id = g.id
        AND (strpos(wanted.name, ':') = 0 OR m.role_key = split_part(wanted.name, ':', 2))
    WHERE (m.since IS NULL OR m.since <= :today::date) AND (m.until IS NULL OR m.until >= :today::date)
), whole AS MATERIALIZED (
    SELECT f.id FROM audience AS a CROSS JOIN fits AS f
    WHERE cardinality(a.groups) = 0 OR f.id IN (SELECT member FROM in_groups WHERE member_kind = 'city')
), people AS MATERIALIZED (
    SELECT o.id, o.city, 'group' AS kind, :group_rank::integer AS rank, g.key, g.role, s.text
    FROM audience AS a
    CROSS JOIN in_groups AS g
    JOIN officials AS o ON g.member_kind = 'official' AND o.id = g.member AND o.active
        AND (cardinality(a.roles) = 0 OR o.role_keys && a.roles)
    JOIN jsonb_to_recordset(:said::jsonb) AS s ("group" text, role text, text text)
        ON s."group" = g.key AND s.role = g.role
    WHERE CASE WHEN true THEN o.city IN (SELECT id FROM fits) END
    UNION ALL
    SELECT o.id, o.city, 'hand', :hand_rank, NULL, NULL, :by_hand
    FROM audience AS a JOIN officials AS o ON o.id = ANY (a.officials) AND o.active
), chosen AS (
    INSERT INTO campaign_people (campaign, official, writes, reasons)
    SELECT :campaign, id, true, jsonb_agg(reason ORDER BY rank, reason ->> 'group', reason ->> 'role')
    FROM (SELECT DISTINCT id, rank,
                 jsonb_build_object('kind', kind, 'text', text, 'group', key, 'role', role) AS reason FROM people) AS p
    GROUP BY id
), reasons AS (
    SELECT * FROM hits
    UNION ALL
    SELECT member, 'group', :group_rank, key, name, role, NULL, NULL, NULL, NULL
    FROM in_groups WHERE member_kind = 'city'
    UNION ALL
    SELECT f.id, 'statewide', :statewide_rank, NULL, NULL, 'audience', NULL, NULL, NULL, NULL
    FROM audience AS a CROSS JOIN fits AS f WHERE a.statewide
), told AS (
    SELECT r.city,
           jsonb_agg(
               jsonb_build_object(
                   'kind', r.kind, 'bills', :bills::text[], 'legislator', CASE WHEN r.kind = 'committee' THEN r.key END,
                   'group', CASE WHEN r.kind = 'group' THEN r.key END, 'name', r.name, 'role', r.role, 'rank', r.rank,
                   'committee', r.committee, 'chamber', r.chamber, 'district', r.district, 'share', r.share)
               ORDER BY r.rank, r.share DESC NULLS LAST, r.key, r.role) AS reasons
    FROM reasons AS r JOIN fits AS f ON f.id = r.city
    GROUP BY r.city
)
INSERT INTO campaign_cities (campaign, city, name, division, bills, whole, reasons)
SELECT :campaign, c.id, c.name, c.division, :bills::text[], c.id IN (SELECT id FROM whole), coalesce(t.reasons, '[]')
FROM cities AS c LEFT JOIN told AS t ON t.city = c.id
WHERE c.active AND CASE WHEN true THEN c.id IN (SELECT id FROM whole) OR c.id IN (SELECT city FROM people) END;

-- name: plan_group_people!
-- Members of the groups that positions name, at a hearing: asked to write if they speak for their city, to testify if they
-- are willing. Their cities come along without anybody else.
WITH sources AS (
    SELECT * FROM jsonb_to_recordset(:sources::jsonb) AS s (kind text, "group" text, bills text[], open_bills text[])
    WHERE kind = 'group'
), people AS MATERIALIZED (
    SELECT o.id, o.city, o.role_keys, g.id AS "group", m.role_key AS role, t.text,
           CASE WHEN c.member THEN s.bills ELSE s.open_bills END AS bills
    FROM sources AS s
    JOIN groups AS g ON g.id = s."group" AND g.active
    JOIN memberships AS m ON m.group_id = g.id AND m.member_kind = 'official'
        AND (m.since IS NULL OR m.since <= :today::date) AND (m.until IS NULL OR m.until >= :today::date)
    JOIN jsonb_to_recordset(:said::jsonb) AS t ("group" text, role text, text text)
        ON t."group" = g.id AND t.role = m.role_key
    JOIN officials AS o ON o.id = m.member AND o.active
    JOIN cities AS c ON c.id = o.city AND c.active
), asked AS (
    SELECT * FROM people WHERE cardinality(bills) > 0
), chosen AS (
    INSERT INTO campaign_people (campaign, official, writes, reasons)
    SELECT :campaign, id, bool_or(role_keys && :letter_roles::text[]), jsonb_agg(reason ORDER BY reason)
    FROM (SELECT DISTINCT id, role_keys,
                 jsonb_build_object('kind', 'group', 'text', text, 'group', "group", 'role', role) AS reason
          FROM asked) AS p
    GROUP BY id
)
INSERT INTO campaign_cities (campaign, city, name, division, bills, whole, reasons)
SELECT :campaign, c.id, c.name, c.division,
       (SELECT array_agg(b.bill ORDER BY b.place)
        FROM unnest(:bills::text[]) WITH ORDINALITY AS b (bill, place)
        WHERE EXISTS (SELECT FROM asked AS x WHERE x.city = c.id AND b.bill = ANY (x.bills))), false, '[]'
FROM cities AS c WHERE CASE WHEN true THEN c.id IN (SELECT city FROM asked) END
ON CONFLICT DO NOTHING;

-- name: plan_company!
-- Who was added by hand brings the city along, but nobody else of it.
INSERT INTO campaign_cities (campaign, city, name, division, bills, whole, reasons)
SELECT DISTINCT :campaign, c.id, c.name, c.division, :bills::text[], false, '[]'::jsonb
FROM choices AS x JOIN officials AS o ON o.id = x.official JOIN cities AS c ON c.id = o.city AND c.active
WHERE x.campaign = :campaign AND x.included
ON CONFLICT DO NOTHING;

-- name: shut_cities!
-- A city is open once its division's wave was let go.
UPDATE campaign_cities AS c SET open = false
FROM campaign_cities AS k
LEFT JOIN approvals AS a ON a.campaign = :campaign AND a.division = coalesce(k.division, '')
WHERE c.campaign = :campaign AND k.campaign = :campaign AND k.city = c.city
  AND CASE WHEN :launch::text = 'auto' THEN coalesce(a.state IN ('rejected', 'stopped'), false)
           ELSE coalesce(a.state <> 'approved', true) END;

-- name: count_audience
-- By division: the cities, whom of them is asked, by how many mailboxes, and the cities in which nobody is.
WITH asked AS MATERIALIZED (
    SELECT official, city, mailbox FROM audience_of(:campaign::text, false, :letter_roles::text[]) WHERE writes
), by_city AS (
    SELECT c.city, c.name, coalesce(c.division, '') AS division, count(a.official) AS officials
    FROM campaign_cities AS c LEFT JOIN asked AS a ON a.city = c.city
    WHERE c.campaign = :campaign
    GROUP BY c.city, c.name, c.division
), boxes AS (
    SELECT b.division, count(DISTINCT a.mailbox) AS mailboxes
    FROM asked AS a JOIN by_city AS b ON b.city = a.city GROUP BY b.division
)
SELECT b.division AS slug, coalesce(d.name, nullif(b.division, ''), 'no division') AS division, count(*) AS cities,
       sum(b.officials)::bigint AS officials, coalesce(min(x.mailboxes), 0) AS mailboxes,
       coalesce(array_agg(b.name ORDER BY b.name) FILTER (WHERE b.officials = 0), '{}') AS without_anyone,
       (SELECT count(DISTINCT mailbox) FROM asked) AS all_mailboxes
FROM by_city AS b
LEFT JOIN boxes AS x ON x.division = b.division
LEFT JOIN divisions AS d ON d.id = b.division
GROUP BY b.division, d.name
ORDER BY b.division = '', b.division;
