-- name: take_cards^
-- Writes the cards of what changed, some at a time, and says how many that were. Two who take cards wait for each other, so
-- that an older state never comes last.
WITH alone AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtextextended('clarion.directory.cards', 0))
), taken AS (
    DELETE FROM cards_to_write
    WHERE number IN (SELECT number FROM cards_to_write, alone ORDER BY number LIMIT :at_most)
    RETURNING kind, id
), written AS (
    INSERT INTO cards AS card (kind, id, active, name, words, city, mailbox, groups, leads, can_be_asked)
    SELECT kind, id, active, body ->> 'name', words(body), body ->> 'city', body ->> 'mailbox',
           ARRAY(SELECT jsonb_array_elements_text(coalesce(body -> 'groups', '[]'))),
           ARRAY(
               SELECT held.value ->> 'group' FROM jsonb_array_elements(coalesce(body -> 'memberships', '[]')) AS held (value)
               WHERE held.value ->> 'role' <> 'member' ORDER BY 1
           ),
           coalesce((body ->> 'testifies')::boolean, false) OR EXISTS (
               SELECT FROM jsonb_array_elements_text(coalesce(body -> 'roles', '[]')) AS held (role)
               WHERE folded(role) = ANY (:roles::text[])
           )
    FROM current_entities
    WHERE (kind, id) IN (SELECT kind, id FROM taken)
    ORDER BY kind, id
    ON CONFLICT (kind, id) DO UPDATE
    SET active = excluded.active, name = excluded.name, words = excluded.words, city = excluded.city,
        mailbox = excluded.mailbox, groups = excluded.groups, leads = excluded.leads,
        can_be_asked = excluded.can_be_asked
    WHERE card IS DISTINCT FROM excluded
    RETURNING 1
)
SELECT (SELECT count(*) FROM taken) AS taken, (SELECT count(*) FROM written) AS written;

-- name: find_officials
-- At most a thousand are looked at: who gets more has to say more words.
WITH found AS MATERIALIZED (
    SELECT id FROM cards WHERE kind = 'official' AND words @@ sought(:wanted) LIMIT :looked_at
)
SELECT official.id, official.active, official.body, official.body ->> 'city' AS city_id,
       city.state ->> 'name' AS city, city.state ->> 'division' AS division, count(*) OVER () AS total
FROM found
JOIN current_entities AS official ON official.kind = 'official' AND official.id = found.id
LEFT JOIN entities AS city ON city.kind = 'city' AND city.id = official.body ->> 'city'
ORDER BY official.active DESC, starts_with(folded(official.body ->> 'name'), folded(:wanted)) DESC,
         official.body ->> 'name', official.id
LIMIT :at_most OFFSET :skipped;

-- name: find_others
SELECT known.kind, known.id, known.active, known.body, division.state ->> 'name' AS division
FROM cards AS card
JOIN current_entities AS known ON known.kind = card.kind AND known.id = card.id
LEFT JOIN entities AS division ON division.kind = 'division' AND division.id = known.body ->> 'division'
WHERE card.kind <> 'official' AND card.kind = ANY (:kinds::text[]) AND card.words @@ sought(:wanted)
ORDER BY known.active DESC, folded(known.body ->> 'name') = folded(:wanted) DESC,
         starts_with(folded(known.body ->> 'name'), folded(:wanted)) DESC,
         array_position(:kinds::text[], known.kind), known.body ->> 'name', known.id
LIMIT :at_most;

-- name: officials_of_mailbox
-- The card may be a moment behind: what is true is asked of the official.
SELECT official.id, official.active, official.body, official.body ->> 'city' AS city_id,
       city.state ->> 'name' AS city, city.state ->> 'division' AS division
FROM cards AS card
JOIN current_entities AS official ON official.kind = card.kind AND official.id = card.id
LEFT JOIN entities AS city ON city.kind = 'city' AND city.id = official.body ->> 'city'
WHERE card.kind = 'official' AND card.mailbox = :mailbox AND official.body ->> 'mailbox' = :mailbox
ORDER BY official.body ->> 'name', official.id
LIMIT :at_most;
