-- What the directory's pages show.

-- name: find_entity^
SELECT kind, id, revision, active, body, import_id, changed_at
FROM current_entities
WHERE kind = :kind AND id = :id;

-- name: names_of
SELECT id, state ->> 'name' AS name, active FROM entities WHERE kind = :kind AND id = ANY (:ids::text[]);

-- name: all_divisions
SELECT division.id, division.body, count(city.id) AS cities
FROM current_entities AS division
LEFT JOIN entities AS city
    ON city.kind = 'city' AND city.active AND city.state ->> 'division' = division.id
WHERE division.kind = 'division' AND division.active
GROUP BY division.id, division.body
ORDER BY division.body ->> 'name';

-- name: officials_of_city
SELECT official.id, official.active, official.body, card.can_be_asked, count(*) OVER () AS total
FROM cards AS card
JOIN current_entities AS official ON official.kind = card.kind AND official.id = card.id
WHERE card.kind = 'official' AND card.city = :city AND official.active
ORDER BY jsonb_exists(official.body -> 'roles', 'mayor') DESC, (official.body ->> 'elected')::boolean DESC NULLS LAST, card.can_be_asked DESC, official.body ->> 'name'
LIMIT :at_most OFFSET :skipped;

-- name: districts_of_city
-- A seat may be vacant, then nobody is named.
SELECT district.id, district.state ->> 'chamber' AS chamber, district.state ->> 'number' AS number,
       (share.value ->> 'share')::float AS share, legislator.id AS legislator,
       legislator.state ->> 'name' AS name, legislator.state ->> 'party' AS party
FROM entities AS district
JOIN LATERAL jsonb_array_elements(district.state -> 'cities') AS share (value) ON share.value ->> 'city' = :city
LEFT JOIN entities AS legislator
    ON legislator.kind = 'legislator' AND legislator.active AND legislator.state ->> 'district' = district.id
WHERE district.kind = 'district' AND district.active
ORDER BY chamber DESC, share DESC, district.id;

-- name: committees_of
SELECT member.value ->> 'legislator' AS legislator, committee.id, committee.state ->> 'name' AS name,
       committee.state ->> 'chamber' AS chamber, member.value ->> 'role' AS role
FROM entities AS committee
JOIN LATERAL jsonb_array_elements(committee.state -> 'members') AS member (value)
    ON member.value ->> 'legislator' = ANY (:legislators::text[])
WHERE committee.kind = 'committee' AND committee.active
ORDER BY member.value ->> 'role' = 'member', name, committee.id;

-- name: cities_of_division
-- Counted from the cards alone, so that a division of 30,000 officials is no work.
SELECT city.id, city.body ->> 'name' AS name, (city.body ->> 'member')::boolean AS member,
       coalesce(people.officials, 0) AS officials, coalesce(people.asked, 0) AS asked
FROM current_entities AS city
LEFT JOIN LATERAL (
    SELECT count(*) AS officials, count(*) FILTER (WHERE can_be_asked) AS asked
    FROM cards
    WHERE kind = 'official' AND cards.city = city.id AND active
) AS people ON true
WHERE city.kind = 'city' AND city.active AND city.body ->> 'division' IS NOT DISTINCT FROM :division
ORDER BY name, city.id;

-- name: cities_of_district
SELECT city.id, city.state ->> 'name' AS name, (share.value ->> 'share')::float AS share
FROM entities AS district
CROSS JOIN jsonb_array_elements(district.state -> 'cities') AS share (value)
JOIN entities AS city ON city.kind = 'city' AND city.id = share.value ->> 'city' AND city.active
WHERE district.kind = 'district' AND district.id = :district
ORDER BY share DESC, name;

-- name: members_of_group
-- Whoever leads it first. Put in order by the cards, so that only those shown are looked up.
WITH shown AS MATERIALIZED (
    SELECT kind, id, name, leads @> ARRAY[:group] AS leads, count(*) OVER () AS total
    FROM cards
    WHERE groups @> ARRAY[:group] AND groups <> '{}' AND active
    ORDER BY leads @> ARRAY[:group] DESC, kind, name, id
    LIMIT :at_most OFFSET :skipped
)
SELECT member.kind, member.id, member.body, city.state ->> 'name' AS city, shown.total,
       held.value ->> 'role' AS role, held.value ->> 'since' AS since
FROM shown
JOIN current_entities AS member ON member.kind = shown.kind AND member.id = shown.id
LEFT JOIN entities AS city ON city.kind = 'city' AND city.id = member.body ->> 'city'
LEFT JOIN LATERAL (
    SELECT value FROM jsonb_array_elements(coalesce(member.body -> 'memberships', '[]')) AS one (value)
    WHERE value ->> 'group' = :group ORDER BY value ->> 'role' = 'member' LIMIT 1
) AS held ON true
ORDER BY shown.leads DESC, shown.kind, shown.name, shown.id;

-- name: shares_mailbox$
SELECT count(*) FROM cards WHERE kind = 'official' AND mailbox = :mailbox AND active;
