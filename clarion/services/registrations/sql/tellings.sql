-- name: insert_telling!
INSERT INTO tellings (event_id, status, revision, description, said, announced, answers, decided_at)
VALUES (:event_id, :status, :revision, :description, :said, :announced, :answers, :now)

-- name: take_telling^
-- The oldest; whoever else wants it waits and then finds nothing, so no event is told out of order.
DELETE FROM tellings
WHERE id = (SELECT id FROM tellings ORDER BY id LIMIT 1 FOR UPDATE)
RETURNING event_id, status, revision, description, said, announced, answers, decided_at
