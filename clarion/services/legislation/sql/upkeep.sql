-- name: purge_history$
-- What waits is not at its end, however old.
WITH purged AS (
    DELETE FROM history
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM history WHERE received_at < :before AND outcome NOT IN ('received', 'waiting') LIMIT :at_most))
    RETURNING 1
)
SELECT count(*) FROM purged
