-- name: save_cities!
INSERT INTO cities (id, revision, name, active)
SELECT id, revision, name, active
FROM jsonb_to_recordset(:rows::jsonb) AS given (id text, revision bigint, name text, active boolean)
ON CONFLICT (id) DO UPDATE
SET revision = excluded.revision, name = excluded.name, active = excluded.active
WHERE cities.revision < excluded.revision

-- name: save_officials!
INSERT INTO officials (id, revision, name, email, mailbox, city, roles, active)
SELECT id, revision, name, email, mailbox, city, roles, active
FROM jsonb_to_recordset(:rows::jsonb) AS given (
    id text, revision bigint, name text, email text, mailbox text, city text, roles text[], active boolean
)
ON CONFLICT (id) DO UPDATE
SET revision = excluded.revision, name = excluded.name, email = excluded.email, mailbox = excluded.mailbox,
    city = excluded.city, roles = excluded.roles, active = excluded.active
WHERE officials.revision < excluded.revision

-- name: forget_cities!
DELETE FROM cities WHERE id = ANY(:ids::text[])

-- name: forget_officials!
DELETE FROM officials WHERE id = ANY(:ids::text[])

-- name: officials_named
SELECT o.id, o.name, o.email, o.mailbox, c.name AS city, o.roles, o.active
FROM officials AS o
LEFT JOIN cities AS c ON c.id = o.city
WHERE o.id = ANY(:ids::text[])

