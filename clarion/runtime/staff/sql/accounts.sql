-- name: find_account^
SELECT a.id, a.name, a.email, a.role, a.added_at, a.removed_at, a.divisions, a.deputy_in
FROM clarion.accounts AS a
WHERE a.id = :id

-- name: find_account_by_email^
SELECT a.id, a.name, a.email, a.role, a.added_at, a.removed_at, a.divisions, a.deputy_in
FROM clarion.accounts AS a
WHERE a.email = :email

-- name: list_accounts
SELECT a.id, a.name, a.email, a.role, a.added_at, a.removed_at, a.divisions, a.deputy_in
FROM clarion.accounts AS a
WHERE a.removed_at IS NULL OR :removed::boolean
ORDER BY a.removed_at IS NOT NULL, a.name, a.id

-- name: lock_administrators
-- Locked, so that two who are removed at once are looked at one after the other.
SELECT id FROM clarion.staff WHERE role = 'admin' AND removed_at IS NULL ORDER BY id FOR UPDATE

-- name: save_account!
INSERT INTO clarion.staff (id, email, name, role, added_at, removed_at)
VALUES (:id, :email, :name, :role, :now, NULL)
ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name, role = excluded.role, removed_at = NULL

-- name: save_divisions!
-- What is there and still holds stays; the rest goes, and what is new comes.
WITH given AS (
    SELECT * FROM unnest(:divisions::text[], :as_what::text[]) AS g (division, as_what)
), gone AS (
    DELETE FROM clarion.staff_divisions AS d
    WHERE d.staff_id = :id AND d.division NOT IN (SELECT division FROM given)
)
INSERT INTO clarion.staff_divisions (staff_id, division, as_what)
SELECT :id, division, as_what FROM given
ON CONFLICT (staff_id, division) DO UPDATE SET as_what = excluded.as_what

-- name: remove_account!
UPDATE clarion.staff SET removed_at = coalesce(removed_at, :now) WHERE id = :id

-- name: restore_account!
UPDATE clarion.staff SET removed_at = NULL WHERE id = :id
