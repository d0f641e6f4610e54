-- name: drop_strangers
DELETE FROM incoming
WHERE state ->> 'kind' = 'official'
  AND NOT EXISTS (SELECT FROM entities AS known WHERE known.kind = 'official' AND known.id = incoming.state ->> 'member')
RETURNING id, state ->> 'member' AS member, file, line;

-- name: gather_terms!
-- A line is one term. Those of one member in one group are one membership, which the file states whole.
WITH gathered AS (
    SELECT incoming.id, min(incoming.position) AS position,
           jsonb_agg(DISTINCT term.value ORDER BY term.value) AS terms
    FROM incoming
    CROSS JOIN jsonb_array_elements(incoming.state -> 'terms') AS term (value)
    GROUP BY incoming.id
    HAVING count(*) > 1
), kept AS (
    UPDATE incoming
    SET state = incoming.state || jsonb_build_object('terms', gathered.terms)
    FROM gathered
    WHERE incoming.position = gathered.position
)
DELETE FROM incoming
USING gathered
WHERE incoming.id = gathered.id AND incoming.position > gathered.position;

-- name: strangers$
SELECT count(DISTINCT joinings.id)
FROM joinings
WHERE joinings.kind = 'official'
  AND NOT EXISTS (SELECT FROM entities AS known WHERE known.kind = 'official' AND known.id = joinings.id);

-- name: refresh_derived$
-- Works out anew what follows from memberships and from the day, and touches each entity for which that is different.
-- A membership counts until the end of its last day; one that begins later is told with its day.
WITH current AS (
    SELECT DISTINCT joinings.kind, joinings.id, joinings.group_id, joinings.role, joinings.since, joinings.until
    FROM joinings
    JOIN entities AS known ON known.kind = 'group' AND known.id = joinings.group_id AND known.active
    WHERE joinings.until IS NULL OR joinings.until >= :today
), spoken_for AS (
    SELECT current.*
    FROM current
    -- Who is said to be in a group, and elsewhere to have a role or dates there, has those.
    WHERE NOT (role = 'member' AND since IS NULL AND until IS NULL)
       OR NOT EXISTS (
           SELECT FROM current AS exact
           WHERE exact.kind = current.kind AND exact.id = current.id AND exact.group_id = current.group_id
             AND (exact.role <> 'member' OR exact.since IS NOT NULL OR exact.until IS NOT NULL))
), gathered AS (
    SELECT kind, id,
           jsonb_agg(jsonb_build_object('group', group_id, 'role', role, 'since', since, 'until', until)
                     ORDER BY group_id, since NULLS FIRST, role, until) AS memberships,
           coalesce(jsonb_agg(DISTINCT group_id) FILTER (WHERE since IS NULL OR since <= :today), '[]') AS groups
    FROM spoken_for
    GROUP BY kind, id
), wanted AS (
    SELECT known.kind, known.id,
           CASE WHEN gathered.id IS NOT NULL
                THEN jsonb_build_object('memberships', gathered.memberships, 'groups', gathered.groups)
                WHEN known.state -> 'groups' <> '[]' THEN jsonb_build_object('groups', '[]'::jsonb)
                ELSE '{}' END
           || CASE WHEN known.kind = 'city' AND coalesce(known.state ->> 'member_since', known.state ->> 'member_until')
                        IS NOT NULL
                   THEN jsonb_build_object('member',
                            (known.state ->> 'member')::boolean
                            AND coalesce(known.state ->> 'member_since', '') <= :today
                            AND coalesce(known.state ->> 'member_until', :today) >= :today)
                   ELSE '{}' END AS derived
    FROM entities AS known
    LEFT JOIN gathered ON gathered.kind = known.kind AND gathered.id = known.id
    WHERE known.kind = 'city'
       OR known.kind = 'official' AND (
           gathered.id IS NOT NULL OR known.derived <> '{}' OR known.state -> 'groups' <> '[]')
), told AS (
    UPDATE entities AS known
    SET derived = wanted.derived,
        revision = known.revision + CASE WHEN altered.id IS NULL THEN 1 ELSE 0 END,
        import_id = coalesce(:import_id, known.import_id),
        changed_at = :at
    FROM wanted
    LEFT JOIN altered ON altered.kind = wanted.kind AND altered.id = wanted.id
    WHERE known.kind = wanted.kind AND known.id = wanted.id AND known.derived <> wanted.derived
    RETURNING known.kind, known.id, altered.id IS NULL AS by_itself
), noted AS (
    INSERT INTO altered (kind, id) SELECT kind, id FROM told WHERE by_itself
)
SELECT count(*) FROM told WHERE by_itself;
