-- The merge: what is staged is weighed against what is known, and only what is new or different is written.

-- name: analyze_staging!
-- The server knows nothing of a table made a moment ago, and would plan for a thousand rows.
ANALYZE incoming (id);

-- name: weigh!
-- A line that says what it said before leaves its entity alone, so corrections hold against it.
INSERT INTO effects (id, effect)
SELECT incoming.id,
       CASE WHEN known.id IS NULL THEN 'added'
            WHEN known.state <> incoming.state OR NOT known.active THEN 'changed'
            WHEN known.corrected <> '{}' THEN 'held'
            ELSE 'unchanged' END
FROM incoming
LEFT JOIN entities AS known ON known.kind = :kind AND known.id = incoming.id
WHERE incoming.state IS NOT NULL;

-- name: missing^
-- Whom the files do not name; who stands in a rejected line is named all the same.
SELECT count(*) AS known,
       count(*) FILTER (WHERE NOT EXISTS (SELECT FROM incoming WHERE incoming.id = entities.id)) AS missing
FROM entities
WHERE kind = :kind AND active;

-- name: weigh_missing!
INSERT INTO effects (id, effect)
SELECT id, 'left'
FROM entities
WHERE kind = :kind AND active
  AND NOT EXISTS (SELECT FROM incoming WHERE incoming.id = entities.id);

-- name: effects_shown
-- The first of each effect, with the fields that change.
SELECT shown.effect, shown.id, coalesce(incoming.state, known.state) ->> 'name' AS name,
       CASE WHEN shown.effect = 'changed' THEN ARRAY(
           SELECT field.key
           FROM jsonb_each(known.state || incoming.state) AS field
           WHERE known.state -> field.key IS DISTINCT FROM incoming.state -> field.key
           UNION ALL
           SELECT 'active' WHERE NOT known.active
           ORDER BY 1
       ) ELSE '{}' END AS fields
FROM (
    SELECT id, effect, row_number() OVER (PARTITION BY effect ORDER BY id) AS nth
    FROM effects
    WHERE effect <> 'unchanged'
) AS shown
LEFT JOIN incoming ON incoming.id = shown.id AND incoming.state IS NOT NULL
LEFT JOIN entities AS known ON known.kind = :kind AND known.id = shown.id
WHERE shown.nth <= :at_most
ORDER BY array_position(ARRAY['left', 'changed', 'added', 'held'], shown.effect), shown.id;

-- name: insert_added!
INSERT INTO entities (kind, id, revision, state, derived, import_id, changed_at)
SELECT :kind, incoming.id, 1, incoming.state, incoming.derived, :import_id, :at
FROM incoming
JOIN effects ON effects.id = incoming.id AND effects.effect = 'added'
WHERE incoming.state IS NOT NULL
ORDER BY incoming.id;

-- name: update_changed!
UPDATE entities AS known
SET revision = known.revision + 1,
    active = true,
    state = incoming.state,
    derived = incoming.derived,
    corrected = CASE WHEN known.state = incoming.state THEN known.corrected
                     ELSE corrections_held(known.corrected, known.state, incoming.state) END,
    import_id = :import_id,
    changed_at = :at
FROM incoming
JOIN effects ON effects.id = incoming.id AND effects.effect = 'changed'
WHERE known.kind = :kind AND known.id = incoming.id AND incoming.state IS NOT NULL;

-- name: update_left!
UPDATE entities AS known
SET revision = known.revision + 1, active = false, import_id = :import_id, changed_at = :at
FROM effects
WHERE known.kind = :kind AND known.id = effects.id AND effects.effect = 'left';

-- name: note_altered!
INSERT INTO altered (kind, id)
SELECT :kind, id FROM effects WHERE effect IN ('added', 'changed', 'left');

-- name: effect_counts^
SELECT count(*) FILTER (WHERE effect = 'added') AS added,
       count(*) FILTER (WHERE effect = 'changed') AS changed,
       count(*) FILTER (WHERE effect IN ('unchanged', 'held')) AS unchanged,
       count(*) FILTER (WHERE effect = 'left') AS left,
       count(*) FILTER (WHERE effect = 'held') AS held
FROM effects;

-- name: follow_members$
-- A membership carries its member's name, chamber and district, so committees follow their members; who has left the
-- legislature sits on none.
WITH fresh AS (
    SELECT committee.id,
           coalesce(jsonb_agg(
               CASE WHEN legislator.id IS NULL THEN member.value
               ELSE member.value || jsonb_build_object(
                   'name', legislator.state -> 'name',
                   'chamber', legislator.state -> 'chamber',
                   'district', legislator.state -> 'district'
               ) END
               ORDER BY member.nth
           ) FILTER (WHERE legislator.active IS NOT FALSE), '[]') AS members
    FROM entities AS committee
    CROSS JOIN jsonb_array_elements(committee.state -> 'members') WITH ORDINALITY AS member (value, nth)
    LEFT JOIN entities AS legislator
        ON legislator.kind = 'legislator' AND legislator.id = member.value ->> 'legislator'
    WHERE committee.kind = 'committee'
    GROUP BY committee.id
), followed AS (
    UPDATE entities AS known
    SET state = jsonb_set(known.state, '{members}', fresh.members),
        revision = known.revision + 1,
        import_id = :import_id,
        changed_at = :at
    FROM fresh
    WHERE known.kind = 'committee' AND known.id = fresh.id AND known.state -> 'members' <> fresh.members
    RETURNING known.kind, known.id
), noted AS (
    INSERT INTO altered (kind, id) SELECT kind, id FROM followed RETURNING id
)
SELECT count(*) FROM noted;
