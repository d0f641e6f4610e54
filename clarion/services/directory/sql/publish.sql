-- name: altered_entities
SELECT known.kind, known.id, known.revision, known.active, known.state, known.import_id
FROM altered
JOIN entities AS known USING (kind, id)
ORDER BY known.kind, known.id;

-- name: all_entities
-- In the order in which one kind refers to another.
SELECT kind, id, revision, active, state, import_id
FROM entities
ORDER BY array_position(ARRAY['division', 'city', 'district', 'group', 'legislator', 'committee', 'official'], kind), id;

-- name: newest_imports
SELECT DISTINCT ON (kind) id AS import_id, kind, completed_at, added, changed, unchanged, rejected
FROM imports
ORDER BY kind, number DESC;
