-- name: open_jobs$
SELECT count(*) FROM (SELECT FROM fanout_jobs WHERE done_at IS NULL LIMIT :at_most) AS counted
