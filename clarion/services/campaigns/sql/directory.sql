-- The projection: older or equal revisions change nothing.

-- name: upsert_divisions!
INSERT INTO divisions (id, revision, active, name, manager_name, manager_email, manager_phone)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    id text, revision bigint, active boolean, name text, manager_name text, manager_email text, manager_phone text)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, active = excluded.active, name = excluded.name,
    manager_name = excluded.manager_name, manager_email = excluded.manager_email, manager_phone = excluded.manager_phone
WHERE divisions.revision < excluded.revision;

-- name: upsert_cities
INSERT INTO cities (id, revision, active, name, division, member, member_since, member_until)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    id text, revision bigint, active boolean, name text, division text, member boolean, member_since date,
    member_until date)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, active = excluded.active, name = excluded.name,
    division = excluded.division, member = excluded.member,
    member_since = excluded.member_since, member_until = excluded.member_until
WHERE cities.revision < excluded.revision
RETURNING id;

-- name: upsert_districts
INSERT INTO districts (id, revision, active, chamber, number)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    id text, revision bigint, active boolean, chamber text, number text)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, active = excluded.active, chamber = excluded.chamber, number = excluded.number
WHERE districts.revision < excluded.revision
RETURNING id;

-- name: delete_shares!
DELETE FROM city_districts WHERE district = ANY (:districts::text[]);

-- name: insert_shares!
INSERT INTO city_districts (district, city, share)
SELECT DISTINCT ON (r.district, r.city) r.district, r.city, r.share
FROM jsonb_to_recordset(:rows::jsonb) AS r (district text, city text, share double precision)
ORDER BY r.district, r.city, r.share DESC;

-- name: upsert_legislators!
INSERT INTO legislators (id, revision, active, name, family_name, chamber, district)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    id text, revision bigint, active boolean, name text, family_name text, chamber text, district text)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, active = excluded.active, name = excluded.name,
    family_name = excluded.family_name, chamber = excluded.chamber, district = excluded.district
WHERE legislators.revision < excluded.revision;

-- name: upsert_committees
INSERT INTO committees (id, revision, active, name, chamber, jurisdiction, name_keys, phone)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    id text, revision bigint, active boolean, name text, chamber text, jurisdiction text, name_keys text[], phone text)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, active = excluded.active, name = excluded.name, chamber = excluded.chamber,
    jurisdiction = excluded.jurisdiction, name_keys = excluded.name_keys, phone = excluded.phone
WHERE committees.revision < excluded.revision
RETURNING id;

-- name: delete_members!
DELETE FROM committee_members WHERE committee = ANY (:committees::text[]);

-- name: insert_members!
INSERT INTO committee_members (committee, legislator, name, role, chamber, district)
SELECT DISTINCT ON (r.committee, r.legislator) r.*
FROM jsonb_to_recordset(:rows::jsonb) AS r (
    committee text, legislator text, name text, role text, chamber text, district text)
ORDER BY r.committee, r.legislator;

-- name: upsert_officials
INSERT INTO officials (id, revision, active, city, role_keys, mailbox, testifies)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    id text, revision bigint, active boolean, city text, role_keys text[], mailbox text, testifies boolean)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, active = excluded.active, city = excluded.city,
    role_keys = excluded.role_keys, mailbox = excluded.mailbox, testifies = excluded.testifies
WHERE officials.revision < excluded.revision
RETURNING id;

-- name: upsert_groups!
INSERT INTO groups (id, revision, active, name, kind, open_to)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    id text, revision bigint, active boolean, name text, kind text, open_to text)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, active = excluded.active, name = excluded.name, kind = excluded.kind,
    open_to = excluded.open_to
WHERE groups.revision < excluded.revision;

-- name: delete_memberships!
DELETE FROM memberships WHERE member_kind = :member_kind AND member = ANY (:members::text[]);

-- name: insert_memberships!
INSERT INTO memberships (member_kind, member, group_id, role_key, since, until)
SELECT r.* FROM jsonb_to_recordset(:rows::jsonb) AS r (
    member_kind text, member text, group_id text, role_key text, since date, until date);

-- name: mark_import$
INSERT INTO import_markers (kind, import_id, completed_at)
VALUES (:kind, :import_id, :completed_at)
ON CONFLICT (kind) DO UPDATE SET import_id = excluded.import_id, completed_at = excluded.completed_at
WHERE import_markers.completed_at < excluded.completed_at
RETURNING true;

-- name: delete_divisions!
DELETE FROM divisions WHERE id = ANY (:ids::text[]);

-- name: delete_cities!
DELETE FROM cities WHERE id = ANY (:ids::text[]);

-- name: delete_districts!
DELETE FROM districts WHERE id = ANY (:ids::text[]);

-- name: delete_legislators!
DELETE FROM legislators WHERE id = ANY (:ids::text[]);

-- name: delete_committees!
DELETE FROM committees WHERE id = ANY (:ids::text[]);

-- name: delete_groups!
DELETE FROM groups WHERE id = ANY (:ids::text[]);

-- name: delete_officials!
DELETE FROM officials WHERE id = ANY (:ids::text[]);

-- name: committee_by_id^
SELECT id, name, chamber, phone FROM committees WHERE id = :id AND active;

-- name: committee_known^
SELECT id, name, chamber, phone FROM committees WHERE id = :id;

-- name: note_directory_change!
INSERT INTO directory_changes (first_at, last_at) VALUES (:now, :now)
ON CONFLICT (one) DO UPDATE SET last_at = excluded.last_at;

-- name: claim_directory_change$
DELETE FROM directory_changes WHERE one IN (
    SELECT one FROM directory_changes WHERE last_at <= :quiet_since OR first_at <= :noted_before
    FOR UPDATE SKIP LOCKED)
RETURNING true;

-- name: committees_by_name
-- A chamber that nobody said is any.
SELECT id, name, chamber, phone FROM committees
WHERE active AND name_keys && ARRAY[:name_key::text]
  AND (:chamber::text IS NULL OR chamber = :chamber)
  AND (jurisdiction IS NULL OR jurisdiction = :jurisdiction)
ORDER BY chamber, id;

-- name: members_of
SELECT legislator, name, role, chamber, district FROM committee_members WHERE committee = :committee ORDER BY legislator;

-- name: legislators_of_chamber
SELECT id, name, family_name, chamber, district FROM legislators WHERE chamber = :chamber AND active ORDER BY id;

-- name: affected_by_committee^
WITH hits AS (
    SELECT m.legislator, m.district, c.id AS city, c.division
    FROM committee_members AS m
    LEFT JOIN districts AS d ON d.id = m.district AND d.active
    LEFT JOIN city_districts AS s ON s.district = d.id
    LEFT JOIN cities AS c ON c.id = s.city AND c.active AND (c.member OR :include_non_members::boolean)
    WHERE m.committee = :committee
)
SELECT count(DISTINCT legislator) AS members, count(DISTINCT district) AS districts,
       count(DISTINCT city) AS cities, count(DISTINCT division) AS divisions
FROM hits;

-- name: directory_gaps
-- For each kind its newest import, and how many of that import's events are dead letters.
SELECT k.kind, m.import_id,
       (SELECT count(*) FROM dead_letters AS d
        WHERE d.state = 'open' AND d.topic = :topic
          AND d.headers @> jsonb_build_array(jsonb_build_array(:header::text, m.import_id))) AS letters
FROM unnest(:kinds::text[]) WITH ORDINALITY AS k (kind, place)
LEFT JOIN import_markers AS m ON m.kind = k.kind
ORDER BY k.place;
