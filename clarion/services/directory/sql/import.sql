-- name: lock_imports!
-- One import at a time: it reads what it refers to, and its marker must be newer than those before.
SELECT pg_advisory_xact_lock(hashtextextended('clarion.directory.import', 0));

-- name: named
SELECT id, state ->> 'name' AS name FROM entities WHERE kind = :kind AND active;

-- name: districts
SELECT id, state -> 'cities' AS cities FROM entities WHERE kind = 'district' AND active;

-- name: stated
SELECT id, state FROM entities WHERE kind = :kind AND active;

-- name: prepare_staging#
-- An incoming row without a state stands for a rejected line that names somebody.
CREATE TEMPORARY TABLE incoming (
    position bigint GENERATED ALWAYS AS IDENTITY,
    id text NOT NULL,
    state jsonb,
    derived jsonb NOT NULL,
    file text NOT NULL,
    line bigint NOT NULL
) ON COMMIT DROP;
CREATE TEMPORARY TABLE effects (id text NOT NULL, effect text NOT NULL) ON COMMIT DROP;
CREATE TEMPORARY TABLE altered (kind text NOT NULL, id text NOT NULL, PRIMARY KEY (kind, id)) ON COMMIT DROP;
CREATE TEMPORARY TABLE concerned (kind text NOT NULL, id text NOT NULL) ON COMMIT DROP;

-- name: drop_repeats
WITH seen AS (
    SELECT position,
           row_number() OVER same AS nth,
           first_value(file) OVER same AS first_file,
           first_value(line) OVER same AS first_line
    FROM incoming
    WHERE state IS NOT NULL
    WINDOW same AS (PARTITION BY id ORDER BY position)
)
DELETE FROM incoming
USING seen
WHERE seen.position = incoming.position AND seen.nth > 1
RETURNING incoming.id, incoming.file, incoming.line, seen.first_file, seen.first_line;

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
INSERT INTO imports (id, kind, completed_at, added, changed, unchanged, rejected, gone, held)
VALUES (:id, :kind, :completed_at, :added, :changed, :unchanged, :rejected, :left, :held);
