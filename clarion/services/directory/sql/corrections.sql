-- name: limit_lock_waits!
-- An import that is under way may hold an official for minutes; who says something hears so instead of waiting.
SET LOCAL lock_timeout = '5s';

-- name: lock_official^
SELECT id, state, derived, corrected, active FROM entities WHERE kind = 'official' AND id = :id FOR UPDATE;

-- name: official_as_known^
SELECT official.id, official.revision, official.active, official.body, official.import_id,
       city.state ->> 'name' AS city, city.state ->> 'division' AS division
FROM current_entities AS official
LEFT JOIN entities AS city ON city.kind = 'city' AND city.id = official.body ->> 'city'
WHERE official.kind = 'official' AND official.id = :id;

-- name: save_corrected!
UPDATE entities SET corrected = :corrected, revision = revision + 1, changed_at = :at
WHERE kind = 'official' AND id = :id;

-- name: insert_correction!
INSERT INTO corrections (id, official, wish, overlay, state, mailbox, said_by_kind, said_by, said_at)
VALUES (:id, :official, :wish, :overlay, :state, :mailbox, :said_by_kind, :said_by, :said_at);

-- name: put_in_force!
UPDATE corrections SET state = 'in-force', before = :before WHERE id = :id;

-- name: settle_correction!
UPDATE corrections SET state = :state, settled_by = :settled_by, settled_at = :settled_at WHERE id = :id;

-- name: note_settler!
UPDATE corrections SET settled_by = :settled_by, settled_at = :settled_at WHERE id = :id;

-- name: note_confirmed!
UPDATE corrections SET confirmed_at = coalesce(confirmed_at, :at) WHERE id = :id;

-- name: official_of_correction$
SELECT official FROM corrections WHERE id = :id;

-- name: list_corrections
-- One holds while it is what is published: an import may have ended it, and of several on one field the newest counts.
SELECT said.id, said.official, said.wish, said.overlay, said.before, said.state, said.mailbox, said.said_by_kind,
       said.said_by, said.said_at, said.confirmed_at, said.settled_by, said.settled_at,
       said.state = 'in-force' AND known.corrected @> said.overlay AND NOT EXISTS (
           SELECT FROM corrections AS newer
           WHERE newer.official = said.official AND newer.number > said.number AND newer.state = 'in-force'
             AND EXISTS (SELECT FROM jsonb_object_keys(said.overlay) AS field (name) WHERE newer.overlay ? field.name)
       ) AS holds,
       official.body ->> 'name' AS name, official.body ->> 'email' AS email, official.active,
       known.state ->> 'name' AS listed_name,
       city.id AS city_id, city.state ->> 'name' AS city, city.state ->> 'division' AS division,
       division.state ->> 'name' AS division_name
FROM corrections AS said
JOIN entities AS known ON known.kind = said.kind AND known.id = said.official
JOIN current_entities AS official ON official.kind = said.kind AND official.id = said.official
LEFT JOIN entities AS city ON city.kind = 'city' AND city.id = official.body ->> 'city'
LEFT JOIN entities AS division ON division.kind = 'division' AND division.id = city.state ->> 'division'
WHERE (:correction::text IS NULL OR said.id = :correction)
  AND (:official::text IS NULL OR said.official = :official)
  AND (:mailbox::text IS NULL OR said.mailbox = :mailbox AND said.said_by_kind = 'person' AND said.said_at >= :since)
  AND (:divisions::text[] IS NULL OR city.state ->> 'division' = ANY (:divisions))
ORDER BY said.state = 'asked' DESC, said.number DESC
LIMIT :at_most OFFSET :skipped;

-- name: count_open$
-- What waits for staff: a new address that nobody confirmed waits for its reader first.
SELECT count(*)
FROM corrections AS said
JOIN entities AS known ON known.kind = said.kind AND known.id = said.official
LEFT JOIN entities AS city ON city.kind = 'city' AND city.id = known.state ->> 'city'
WHERE said.state = 'asked' AND (said.wish <> 'address' OR said.confirmed_at IS NOT NULL)
  AND (:divisions::text[] IS NULL OR city.state ->> 'division' = ANY (:divisions));
