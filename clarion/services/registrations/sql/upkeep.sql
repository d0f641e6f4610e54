-- name: purge_registrations$
-- Who came to events that ended before; the counts stay with the event.
WITH past AS MATERIALIZED (
    SELECT id FROM webinars WHERE ends_at < :before
), registrations_gone AS (
    DELETE FROM registrations
    WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM past JOIN registrations AS r ON r.event_id = past.id LIMIT :at_most))
    RETURNING 1
), early_gone AS (
    DELETE FROM early_cancellations
    WHERE ctid = ANY (ARRAY(SELECT e.ctid FROM past JOIN early_cancellations AS e ON e.event_id = past.id LIMIT :at_most))
    RETURNING 1
)
SELECT (SELECT count(*) FROM registrations_gone) + (SELECT count(*) FROM early_gone)
