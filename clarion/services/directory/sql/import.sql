-- name: lock_imports!
-- One import at a time: it reads what it refers to, and its marker must be newer than those before.
SELECT pg_advisory_xact_lock(hashtextextended('clarion.directory.import', 0));

-- name: named
SELECT id, state ->> 'name' AS name FROM entities WHERE kind = :kind AND active;

-- name: districts
SELECT id, state -> 'cities' AS cities FROM entities WHERE kind = 'district' AND active;

-- name: seats
SELECT id, state ->> 'name' AS name, state ->> 'chamber' AS chamber, state ->> 'district' AS district
FROM entities WHERE kind = 'legislator' AND active;

-- name: prepare_staging#
CREATE TEMPORARY TABLE incoming (
    position bigint GENERATED ALWAYS AS IDENTITY,
    id text NOT NULL,
    state text NOT NULL,
    file text NOT NULL,
    line bigint NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE altered (kind text NOT NULL, id text NOT NULL, revision bigint NOT NULL) ON COMMIT DROP;

-- name: drop_repeats
WITH seen AS (
    SELECT position,
           row_number() OVER same AS nth,
           first_value(file) OVER same AS first_file,
           first_value(line) OVER same AS first_line
    FROM incoming
    WINDOW same AS (PARTITION BY id ORDER BY position)
)
DELETE FROM incoming
USING seen
WHERE seen.position = incoming.position AND seen.nth > 1
RETURNING incoming.id, incoming.file, incoming.line, seen.first_file, seen.first_line;

-- name: merge!
WITH merged AS (
    INSERT INTO entities AS known (kind, id, revision, state, import_id, changed_at)
    SELECT :kind, id, 1, state::jsonb, :import_id, :at FROM incoming ORDER BY id
    ON CONFLICT (kind, id) DO UPDATE
    SET revision = known.revision + 1,
        active = true,
        state = excluded.state,
        import_id = excluded.import_id,
        changed_at = excluded.changed_at
    WHERE known.state IS DISTINCT FROM excluded.state OR NOT known.active
    RETURNING kind, id, revision
)
INSERT INTO altered (kind, id, revision) SELECT kind, id, revision FROM merged;

-- name: merge_counts^
SELECT (SELECT count(*) FROM incoming) AS accepted,
       count(*) FILTER (WHERE revision = 1) AS added,
       count(*) FILTER (WHERE revision > 1) AS changed
FROM altered;

-- name: follow_members$
-- A membership carries its member's name, chamber and district, so committees follow their members.
WITH fresh AS (
    SELECT committee.id,
           jsonb_agg(
               CASE WHEN legislator.id IS NULL THEN member.value
               ELSE member.value || jsonb_build_object(
                   'name', legislator.state -> 'name',
                   'chamber', legislator.state -> 'chamber',
                   'district', legislator.state -> 'district'
               ) END
               ORDER BY member.nth
           ) AS members
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
    RETURNING known.kind, known.id, known.revision
), noted AS (
    INSERT INTO altered (kind, id, revision) SELECT kind, id, revision FROM followed RETURNING id
)
SELECT count(*) FROM noted;

-- name: gaps^
-- What a person should know is missing. Nothing is said of districts before there are any.
WITH placed AS (
    SELECT DISTINCT share.value ->> 'city' AS city
    FROM entities, jsonb_array_elements(state -> 'cities') AS share
    WHERE kind = 'district' AND active
), cities AS (
    SELECT id, state ->> 'division' AS division FROM entities WHERE kind = 'city' AND active
)
SELECT (SELECT count(*) FROM cities WHERE division IS NULL) AS cities_without_division,
       (SELECT count(*) FROM cities WHERE id NOT IN (SELECT city FROM placed) AND EXISTS (SELECT FROM placed))
           AS cities_without_district,
       (SELECT count(*) FROM entities AS legislator
        WHERE kind = 'legislator' AND active AND EXISTS (SELECT FROM placed)
          AND NOT EXISTS (
              SELECT FROM entities AS district
              WHERE district.kind = 'district' AND district.id = legislator.state ->> 'district'
          )) AS legislators_without_district;

-- name: insert_import!
INSERT INTO imports (id, kind, completed_at, added, changed, unchanged, rejected)
VALUES (:id, :kind, :completed_at, :added, :changed, :unchanged, :rejected);
