-- name: insert_session!
INSERT INTO clarion.sessions (id, token_hash, staff_id, made_at, seen_at, ends_at, address, agent, method)
VALUES (:id, :token_hash, :staff_id, :now, :now, :ends_at, :address, :agent, :method)

-- name: find_session^
-- With the account as it is now: a right that was taken away is gone at the next request.
SELECT s.id AS session_id, s.seen_at, a.id, a.name, a.email, a.role, a.divisions, a.deputy_in
FROM clarion.sessions AS s
JOIN clarion.accounts AS a ON a.id = s.staff_id
WHERE s.token_hash = :token_hash AND a.removed_at IS NULL
  AND s.ends_at > :now AND s.seen_at > :idle_since

-- name: touch_session!
UPDATE clarion.sessions SET seen_at = :now WHERE id = :id AND seen_at < :now

-- name: list_sessions
SELECT id, made_at, seen_at, ends_at, address, agent, method
FROM clarion.sessions
WHERE staff_id = :staff_id AND ends_at > :now AND seen_at > :idle_since
ORDER BY seen_at DESC, id

-- name: end_session^
DELETE FROM clarion.sessions WHERE staff_id = :staff_id AND id = :id RETURNING id

-- name: end_session_of_token^
DELETE FROM clarion.sessions WHERE token_hash = :token_hash RETURNING id

-- name: end_sessions
DELETE FROM clarion.sessions WHERE staff_id = :staff_id AND id IS DISTINCT FROM :except_id RETURNING id

-- name: end_all!
WITH links AS (
    DELETE FROM clarion.sign_ins
)
DELETE FROM clarion.sessions

-- name: purge_sessions$
-- Those that ended before, by themselves or by idleness.
WITH gone AS (
    DELETE FROM clarion.sessions
    WHERE id IN (SELECT id FROM clarion.sessions WHERE ends_at < :before OR seen_at < :before LIMIT :at_most)
    RETURNING 1
)
SELECT count(*) FROM gone
