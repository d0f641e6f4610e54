-- name: bench_progress^
SELECT last_position, confirmed, waiting FROM webinars WHERE id = :event_id

-- name: bench_tally^
-- Of an event: who has a seat, who was asked and has no answer, and how many outcomes were told.
SELECT (SELECT count(*) FROM registrations WHERE event_id = :event_id AND status = 'confirmed') AS confirmed,
       (SELECT count(*) FROM registrations WHERE event_id = :event_id AND status <> 'pending') AS decided,
       (SELECT count(*) FROM outbox WHERE topic = :outcomes AND key = convert_to(:event_id, 'UTF8')) AS told

-- name: bench_backlog$
SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL) + (SELECT count(*) FROM tellings)
