-- name: lock_agenda!
-- One change at a time: two who change a priority at once each see the other's.
SELECT pg_advisory_xact_lock(hashtextextended('clarion.campaigns.agenda', 0));

-- name: priority_versions
-- Newest first.
SELECT * FROM priorities WHERE slug = :slug ORDER BY version DESC;

-- name: list_priorities
-- The newest version of each, in the agenda's order, with how many positions in force refer to it.
SELECT p.*, coalesce(s.positions, 0) AS positions
FROM (SELECT DISTINCT ON (slug) * FROM priorities ORDER BY slug, version DESC) AS p
LEFT JOIN (
    SELECT priority, count(*) AS positions
    FROM (
        SELECT DISTINCT ON (jurisdiction, session, bill_key) priority, withdrawn FROM positions
        ORDER BY jurisdiction, session, bill_key, version DESC
    ) AS newest
    WHERE NOT withdrawn GROUP BY priority
) AS s ON s.priority = p.slug
ORDER BY p.place, p.from_day, p.slug;

-- name: insert_priority!
INSERT INTO priorities (slug, version, title, body, place, from_day, until_day, adopted_by, adopted_on, changed_at)
VALUES (:slug, :version, :title, :body, :place, :from_day, :until_day, :adopted_by, :adopted_on, :changed_at);
