-- name: count_asking$
-- How often this was asked for in the window that goes on, this time included.
INSERT INTO clarion.sign_in_counts AS c (subject_hash, since, asked)
VALUES (:subject_hash, :now, 1)
ON CONFLICT (subject_hash) DO UPDATE
SET since = CASE WHEN c.since <= :window_start THEN excluded.since ELSE c.since END,
    asked = CASE WHEN c.since <= :window_start THEN 1 ELSE c.asked + 1 END
RETURNING asked

-- name: replace_links!
-- The newest is the only one that counts, of those that one browser asked for: another's asking takes nobody's link away.
UPDATE clarion.sign_ins SET ends_at = :now
WHERE staff_id = :staff_id AND browser_hash = :browser_hash AND used_at IS NULL AND ends_at > :now

-- name: insert_link!
INSERT INTO clarion.sign_ins (token_hash, staff_id, browser_hash, next_path, asked_at, ends_at)
VALUES (:token_hash, :staff_id, :browser_hash, :next_path, :now, :ends_at)

-- name: find_link^
SELECT l.browser_hash, l.ends_at, l.used_at, a.name, a.removed_at
FROM clarion.sign_ins AS l
JOIN clarion.staff AS a ON a.id = l.staff_id
WHERE l.token_hash = :token_hash

-- name: spend_link^
-- Of two who use it at once one waits here for the other, and then finds it used.
UPDATE clarion.sign_ins AS l SET used_at = :now
FROM clarion.staff AS a
WHERE l.token_hash = :token_hash AND l.browser_hash = :browser_hash AND l.used_at IS NULL AND l.ends_at > :now
  AND a.id = l.staff_id AND a.removed_at IS NULL
RETURNING a.id, a.name, l.next_path

-- name: end_links!
UPDATE clarion.sign_ins SET ends_at = :now WHERE staff_id = :staff_id AND used_at IS NULL AND ends_at > :now

-- name: purge_links$
WITH gone AS (
    DELETE FROM clarion.sign_ins
    WHERE token_hash IN (SELECT token_hash FROM clarion.sign_ins WHERE ends_at < :before LIMIT :at_most)
    RETURNING 1
)
SELECT count(*) FROM gone

-- name: purge_counts$
WITH gone AS (
    DELETE FROM clarion.sign_in_counts
    WHERE subject_hash IN (SELECT subject_hash FROM clarion.sign_in_counts WHERE since < :before LIMIT :at_most)
    RETURNING 1
)
SELECT count(*) FROM gone
