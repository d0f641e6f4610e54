-- name: settle_in!
-- The first who comes says where this is.
INSERT INTO clarion.home (system, database)
SELECT system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_control_system()
ON CONFLICT DO NOTHING

-- name: at_home$
-- Also where nobody has come yet.
SELECT NOT EXISTS (
    SELECT FROM clarion.home
    WHERE system <> (SELECT system_identifier FROM pg_control_system())
       OR database <> (SELECT oid FROM pg_database WHERE datname = current_database())
)

-- name: move_in!
UPDATE clarion.home
SET system = (SELECT system_identifier FROM pg_control_system()),
    database = (SELECT oid FROM pg_database WHERE datname = current_database()),
    known_at = now(),
    taking_up_since = NULL

-- name: begin_taking_up$
UPDATE clarion.home SET taking_up_since = coalesce(taking_up_since, :now::timestamptz) RETURNING taking_up_since
