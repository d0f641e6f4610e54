-- name: names_of_officials
SELECT id, name FROM officials WHERE id = ANY (:officials::text[]);

-- name: officials_of_division
-- Who is in office in a division's cities, by the beginnings of words of names and cities. '' is no division, NULL any.
SELECT official.id, official.body ->> 'name' AS name, official.body -> 'roles' AS roles, city.state ->> 'name' AS city
FROM cards AS card
JOIN current_entities AS official ON official.kind = 'official' AND official.id = card.id AND official.active
JOIN entities AS city ON city.kind = 'city' AND city.id = official.body ->> 'city'
WHERE card.kind = 'official' AND card.words @@ sought(:wanted)
    AND (:division::text IS NULL OR coalesce(city.state ->> 'division', '') = :division)
ORDER BY official.body ->> 'name', official.id
LIMIT :at_most;

-- name: divisions_to_tick
SELECT id, name FROM divisions WHERE active ORDER BY name;

-- name: groups_to_tick
SELECT id, name FROM groups WHERE active ORDER BY name;
