-- name: registrations_kept
-- Of a mailbox that several share, those under one of the names.
SELECT r.*, w.slug, w.description ->> 'title' AS title, w.starts_at, w.ends_at
FROM registrations AS r
LEFT JOIN webinars AS w ON w.id = r.event_id
WHERE r.mailbox = :mailbox AND (:alone OR lower(r.name) = ANY(:names::text[]))
ORDER BY r.received_at, r.id

-- name: early_kept
SELECT event_id, said_at FROM early_cancellations WHERE :alone AND what = :mailbox ORDER BY event_id

-- name: events_naming
-- Events whose description names the address as the one to ask.
SELECT id, slug, description FROM webinars
WHERE :alone AND strpos(lower(description::text), lower(:address)) > 0
ORDER BY id

-- name: forget_registrations
DELETE FROM registrations WHERE id = ANY(:ids::text[]) RETURNING id

-- name: forget_early
DELETE FROM early_cancellations WHERE (:alone AND what = :mailbox) OR what = ANY(:ids::text[]) RETURNING event_id

-- name: describe_again!
UPDATE webinars SET description = :description WHERE id = :id

-- name: tellings_naming
SELECT id, description FROM tellings WHERE :alone AND strpos(lower(description::text), lower(:address)) > 0

-- name: describe_telling!
UPDATE tellings SET description = :description WHERE id = :id
