-- name: known_divisions
SELECT id, ARRAY[name] AS names FROM divisions WHERE active ORDER BY id;

-- name: known_cities
SELECT id, ARRAY[name] AS names FROM cities WHERE active ORDER BY id;

-- name: known_groups
SELECT id, ARRAY[name] AS names FROM groups WHERE active ORDER BY id;

-- name: known_group_roles
SELECT DISTINCT group_id || ':' || role_key AS id FROM memberships WHERE group_id = ANY (:groups::text[]) ORDER BY 1;

-- name: known_roles
SELECT DISTINCT key AS id FROM officials CROSS JOIN LATERAL unnest(role_keys) AS key WHERE active ORDER BY 1;

-- name: known_districts
SELECT id, chamber, number FROM districts WHERE active ORDER BY id;

-- name: known_committees
SELECT id, name, chamber, name_keys FROM committees
WHERE active AND (jurisdiction IS NULL OR jurisdiction = :jurisdiction) ORDER BY id;

-- name: known_officials
SELECT o.id, c.division FROM officials AS o LEFT JOIN cities AS c ON c.id = o.city
WHERE o.id = ANY (:ids::text[]) AND o.active;

-- name: officials_near
-- Ids that begin as one does that nobody has.
SELECT id FROM officials WHERE active AND id >= :start AND id < :start || chr(1114111) ORDER BY id LIMIT 5;

-- name: members_without_cities
-- Members of these committees whose district has no city here.
SELECT m.name, m.district FROM committee_members AS m
WHERE m.committee = ANY (:committees::text[])
  AND NOT EXISTS (
      SELECT FROM districts AS d JOIN city_districts AS s ON s.district = d.id JOIN cities AS c ON c.id = s.city AND c.active
      WHERE d.id = m.district AND d.active)
ORDER BY m.name, m.district;
