-- name: names_of_officials
SELECT id, name FROM officials WHERE id = ANY (:officials::text[]);
