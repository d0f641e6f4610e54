-- name: insert_webinar$
INSERT INTO webinars (id, slug, starts_at, ends_at, closes_at, capacity, description, created_at, changed_at)
VALUES (:id, :slug, :starts_at, :ends_at, :closes_at, :capacity, :description, :now, :now)
ON CONFLICT (slug) DO NOTHING
RETURNING id

-- name: list_webinars
SELECT * FROM webinars ORDER BY starts_at, slug

-- name: find_webinar^
SELECT * FROM webinars WHERE slug = :slug

-- name: get_webinar^
SELECT * FROM webinars WHERE id = :id

-- name: lock_webinar^
SELECT * FROM webinars WHERE slug = :slug FOR NO KEY UPDATE

-- name: lock_webinars
-- In one order, so that two consumers never wait for each other.
SELECT * FROM webinars WHERE id = ANY(:ids::text[]) ORDER BY id FOR NO KEY UPDATE

-- name: count_seats$
-- The guard of "never oversold": seats are given only up to the capacity that the row has now.
UPDATE webinars
SET confirmed = :confirmed, waiting = :waiting, last_position = :last_position
WHERE id = :id AND (:confirmed <= confirmed OR :confirmed <= capacity)
RETURNING id

-- name: change_webinar!
UPDATE webinars
SET status = :status, reason = :reason, starts_at = :starts_at, ends_at = :ends_at, closes_at = :closes_at,
    capacity = :capacity, description = :description, revision = :revision, changed_at = :now
WHERE id = :id
