-- name: announce_jobs!
INSERT INTO jobs (name) SELECT unnest(:names::text[]) ON CONFLICT DO NOTHING

-- name: claim_job$
-- A job whose replica died is taken over once its lease ended.
UPDATE jobs
SET run = run + 1, started_at = now(), rows_so_far = 0, lease_until = now() + :lease::interval
WHERE name = :name AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
RETURNING run

-- name: renew_job$
-- In the transaction of a step: what it did and that it may go on are committed together.
UPDATE jobs
SET rows_so_far = rows_so_far + :rows, lease_until = clock_timestamp() + :lease::interval
WHERE name = :name AND run = :run
RETURNING rows_so_far

-- name: end_job!
UPDATE jobs
SET ended_at = now(), seconds = extract(epoch FROM now() - started_at), rows = rows_so_far, error = :error,
    due_at = now() + :pause::interval, lease_until = NULL
WHERE name = :name AND run = :run

-- name: give_back_job!
-- It goes on with the next who asks.
UPDATE jobs SET lease_until = NULL WHERE name = :name AND run = :run

-- name: limit_waiting!
-- Rather later than that others wait behind us.
SELECT set_config('lock_timeout', '2s', true)
