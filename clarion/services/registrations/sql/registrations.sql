-- name: insert_pending!
INSERT INTO registrations (id, event_id, mailbox, token, name, email, answers, own, status, received_at)
VALUES (:id, :event_id, :mailbox, :token, :name, :email, :answers, true, 'pending', :received_at)

-- name: find_by_ids
SELECT * FROM registrations WHERE id = ANY(:ids::text[])

-- name: find_by_mailboxes
-- Two branches, so that each goes by its own small index.
SELECT r.*
FROM (SELECT DISTINCT event_id, mailbox
      FROM unnest(:event_ids::text[], :mailboxes::text[]) AS given (event_id, mailbox)) AS given
JOIN registrations AS r USING (event_id, mailbox)
WHERE r.status IN ('confirmed', 'waitlisted')
UNION ALL
SELECT r.*
FROM (SELECT DISTINCT event_id, mailbox
      FROM unnest(:event_ids::text[], :mailboxes::text[]) AS given (event_id, mailbox)) AS given
JOIN registrations AS r USING (event_id, mailbox)
WHERE r.status = 'declined'

-- name: first_waiting
SELECT r.*
FROM unnest(:event_ids::text[], :counts::integer[]) AS wanted (event_id, count)
CROSS JOIN LATERAL (
    SELECT * FROM registrations
    WHERE event_id = wanted.event_id AND status = 'waitlisted'
    ORDER BY position
    LIMIT wanted.count) AS r

-- name: places
SELECT id, place
FROM (SELECT id, row_number() OVER (PARTITION BY event_id ORDER BY position) AS place
      FROM registrations
      WHERE event_id = ANY(:event_ids::text[]) AND status = 'waitlisted') AS line
WHERE id = ANY(:ids::text[])

-- name: place$
SELECT count(*) FROM registrations
WHERE event_id = :event_id AND status = 'waitlisted' AND position <= :position

-- name: active_in_order
-- Who has a seat or waits for one, with the place of who waits.
SELECT *, CASE WHEN status = 'waitlisted'
               THEN row_number() OVER (PARTITION BY status ORDER BY position) END AS place
FROM registrations
WHERE event_id = :event_id AND status IN ('confirmed', 'waitlisted')
ORDER BY status, position

-- name: list_registrations
SELECT *, CASE WHEN status = 'waitlisted'
               THEN row_number() OVER (PARTITION BY status ORDER BY position) END AS place
FROM registrations
WHERE event_id = :event_id AND status <> 'repeated'
ORDER BY CASE status WHEN 'confirmed' THEN 1 WHEN 'waitlisted' THEN 2 WHEN 'pending' THEN 3 ELSE 4 END,
         position, received_at, id

-- name: save_registrations!
INSERT INTO registrations (
    id, event_id, mailbox, token, name, email, answers, own, status, reason, position, same_as, revision, received_at,
    decided_at)
SELECT id, event_id, mailbox, token, name, email, answers::jsonb, own, status, reason, position, same_as, revision,
       received_at, :now
FROM unnest(
    :ids::text[], :event_ids::text[], :mailboxes::text[], :tokens::text[], :names::text[], :emails::text[],
    :answers::text[], :owns::boolean[], :statuses::text[], :reasons::text[], :positions::bigint[],
    :same_ases::text[], :revisions::integer[], :received_ats::timestamptz[])
    AS given (id, event_id, mailbox, token, name, email, answers, own, status, reason, position, same_as, revision,
              received_at)
ON CONFLICT (id) DO UPDATE SET
    status = excluded.status, reason = excluded.reason, position = excluded.position, same_as = excluded.same_as,
    revision = excluded.revision, decided_at = excluded.decided_at
WHERE (registrations.event_id, registrations.mailbox) = (excluded.event_id, excluded.mailbox)

-- name: find_by_token^
SELECT * FROM registrations WHERE token = :token

-- name: find_active^
SELECT * FROM registrations
WHERE event_id = :event_id AND mailbox = :mailbox AND status IN ('confirmed', 'waitlisted')

-- name: mark_cancel_asked!
UPDATE registrations SET cancel_asked_at = :now WHERE id = :id AND status IN ('pending', 'confirmed', 'waitlisted')

-- name: is_cancel_asked$
SELECT cancel_asked_at IS NOT NULL FROM registrations WHERE id = :id
