-- name: take_name$
-- Held until the session ends, however it does.
SELECT pg_try_advisory_lock(hashtextextended('clarion.replica:' || :name, 0))
