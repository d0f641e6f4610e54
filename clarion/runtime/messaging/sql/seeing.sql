-- name: outbox_depth^
-- How many messages wait, counted to at most so many, and for how long the oldest has.
SELECT (SELECT count(*) FROM (SELECT FROM outbox WHERE published_at IS NULL LIMIT :at_most) AS counted) AS waiting,
       (SELECT extract(epoch FROM clock_timestamp() - enqueued_at)::float8
        FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 1) AS oldest_seconds

-- name: open_letters
SELECT topic, count(*) AS letters FROM dead_letters WHERE state = 'open' GROUP BY topic ORDER BY topic
