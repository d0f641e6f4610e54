-- name: drop_strangers
DELETE FROM incoming
WHERE state ->> 'kind' = 'official'
  AND NOT EXISTS (SELECT FROM entities AS known WHERE known.kind = 'official' AND known.id = incoming.state ->> 'member')
RETURNING state ->> 'member' AS member, file, line;

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
SELECT count(DISTINCT member.value)
FROM entities AS known
CROSS JOIN jsonb_array_elements_text(known.state -> 'stated_members' -> 'official') AS member (value)
WHERE known.kind = 'group' AND known.active
  AND NOT EXISTS (SELECT FROM entities AS official WHERE official.kind = 'official' AND official.id = member.value);

-- What an import touches beside the entities it names: whose memberships it may have changed.

-- name: concern_cities!
INSERT INTO concerned (kind, id) SELECT kind, id FROM altered WHERE kind = 'city';

-- name: concern_officials!
-- Their own line's groups went in with it; these have a group that says so, or a line for it.
INSERT INTO concerned (kind, id)
SELECT altered.kind, altered.id
FROM altered
JOIN (
    SELECT member.value AS id
    FROM entities AS known
    CROSS JOIN jsonb_array_elements_text(known.state -> 'stated_members' -> 'official') AS member (value)
    WHERE known.kind = 'group'
    UNION
    SELECT membership.state ->> 'member'
    FROM entities AS membership
    WHERE membership.kind = 'membership' AND membership.state ->> 'kind' = 'official'
) AS said USING (id)
WHERE altered.kind = 'official';

-- name: concern_memberships!
INSERT INTO concerned (kind, id)
SELECT DISTINCT membership.state ->> 'kind', membership.state ->> 'member'
FROM altered
JOIN entities AS membership USING (kind, id)
WHERE altered.kind = 'membership';

-- name: concern_groups!
-- Who was in these groups, who is said to be now, and whose own line names them.
WITH groups AS (SELECT array_agg(id) AS ids FROM altered WHERE kind = 'group')
INSERT INTO concerned (kind, id)
SELECT known.kind, known.id
FROM entities AS known, groups
WHERE known.derived <> '{}' AND known.derived -> 'groups' ?| groups.ids
UNION
SELECT official.kind, official.id
FROM entities AS official, groups
WHERE official.kind = 'official' AND official.state -> 'groups' <> '[]' AND official.state -> 'groups' ?| groups.ids
UNION
SELECT named.kind, member.value
FROM altered
JOIN entities AS known USING (kind, id)
CROSS JOIN (VALUES ('official'), ('city')) AS named (kind)
CROSS JOIN jsonb_array_elements_text(known.state -> 'stated_members' -> named.kind) AS member (value)
WHERE altered.kind = 'group'
UNION
SELECT membership.state ->> 'kind', membership.state ->> 'member'
FROM entities AS membership, groups
WHERE membership.kind = 'membership' AND membership.state ->> 'group' = ANY (groups.ids);

-- name: concern_dated!
-- Whom a day can change.
INSERT INTO concerned (kind, id)
SELECT membership.state ->> 'kind', membership.state ->> 'member'
FROM entities AS membership
CROSS JOIN jsonb_array_elements(membership.state -> 'terms') AS term (value)
WHERE membership.kind = 'membership' AND coalesce(term.value ->> 'since', term.value ->> 'until') IS NOT NULL
UNION
SELECT kind, id
FROM entities
WHERE kind = 'city' AND coalesce(state ->> 'member_since', state ->> 'member_until') IS NOT NULL;

-- name: refresh_derived$
-- Works out anew what follows from memberships and from the day, and touches each entity for which that is different.
-- A membership counts until the end of its last day; one that begins later is told with its day. Who is merely said to be
-- in a group, and elsewhere to have a role or days there, has those.
WITH joined AS (
    SELECT concerned.kind, concerned.id, named.value AS group_id, 'member' AS role, NULL AS since, NULL AS until,
           false AS exact
    FROM concerned
    JOIN entities AS official ON official.kind = concerned.kind AND official.id = concerned.id
    CROSS JOIN jsonb_array_elements_text(official.state -> 'groups') AS named (value)
    WHERE concerned.kind = 'official'
    UNION
    SELECT concerned.kind, concerned.id, known.id, 'member', NULL, NULL, false
    FROM entities AS known
    CROSS JOIN (VALUES ('official'), ('city')) AS named (kind)
    CROSS JOIN jsonb_array_elements_text(known.state -> 'stated_members' -> named.kind) AS member (value)
    JOIN concerned ON concerned.kind = named.kind AND concerned.id = member.value
    WHERE known.kind = 'group'
    UNION
    SELECT concerned.kind, concerned.id, membership.state ->> 'group', term.value ->> 'role', term.value ->> 'since',
           term.value ->> 'until', true
    FROM entities AS membership
    JOIN concerned ON concerned.kind = membership.state ->> 'kind' AND concerned.id = membership.state ->> 'member'
    CROSS JOIN jsonb_array_elements(membership.state -> 'terms') AS term (value)
    WHERE membership.kind = 'membership' AND membership.active
), current AS (
    SELECT joined.*, bool_or(exact) OVER (PARTITION BY joined.kind, joined.id, group_id) AS has_exact
    FROM joined
    JOIN entities AS known ON known.kind = 'group' AND known.id = joined.group_id AND known.active
    WHERE until IS NULL OR until >= :today
), gathered AS (
    SELECT kind, id,
           jsonb_agg(jsonb_build_object('group', group_id, 'role', role, 'since', since, 'until', until)
                     ORDER BY group_id COLLATE "C", since NULLS FIRST, role, until) AS memberships,
           coalesce(jsonb_agg(DISTINCT group_id COLLATE "C") FILTER (WHERE since IS NULL OR since <= :today), '[]') AS groups
    FROM current
    WHERE exact OR NOT has_exact
    GROUP BY kind, id
), wanted AS (
    SELECT known.kind, known.id,
           CASE WHEN gathered.id IS NOT NULL
                THEN jsonb_build_object('memberships', gathered.memberships, 'groups', gathered.groups)
                WHEN known.state -> 'groups' <> '[]' THEN jsonb_build_object('memberships', '[]'::jsonb, 'groups', '[]'::jsonb)
                ELSE '{}' END
           || CASE WHEN coalesce(known.state ->> 'member_since', known.state ->> 'member_until') IS NOT NULL
                   THEN jsonb_build_object('member',
                            (known.state ->> 'member')::boolean
                            AND coalesce(known.state ->> 'member_since', '') <= :today
                            AND coalesce(known.state ->> 'member_until', :today) >= :today)
                   ELSE '{}' END AS derived
    FROM (SELECT DISTINCT kind, id FROM concerned) AS touched
    JOIN entities AS known USING (kind, id)
    LEFT JOIN gathered USING (kind, id)
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
