-- name: seats^
-- Of the events that are still to come.
SELECT coalesce(sum(confirmed), 0)::float8 AS taken, coalesce(sum(waiting), 0)::float8 AS waiting,
       coalesce(sum(greatest(capacity - confirmed, 0)), 0)::float8 AS free,
       (SELECT count(*) FROM (SELECT FROM tellings LIMIT :at_most) AS counted) AS untold
FROM webinars
WHERE status = 'open' AND ends_at > :now
