-- name: bootstrap#
CREATE SCHEMA IF NOT EXISTS clarion;
CREATE TABLE IF NOT EXISTS clarion.migrations (
    schema text NOT NULL,
    source text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schema, source, name)
);

-- name: try_lock$
SELECT pg_try_advisory_lock(hashtextextended('clarion.migrate', 0))

-- name: unlock$
SELECT pg_advisory_unlock(hashtextextended('clarion.migrate', 0))

-- name: applied
SELECT schema, source, name, checksum FROM clarion.migrations

-- name: record!
INSERT INTO clarion.migrations (schema, source, name, checksum)
VALUES (:schema, :source, :name, :checksum)

-- name: create_service!
SELECT clarion.create_service(:service)

-- name: assume!
-- Within a transaction, or for the session: who runs the file, and where its names lead.
SELECT set_config('role', :role, :local),
       set_config('search_path', :search_path, :local),
       set_config('lock_timeout', :lock_timeout, :local)

-- name: unfinished_indexes
-- What a killed CREATE INDEX CONCURRENTLY left behind: IF NOT EXISTS would take it for the index, which it never becomes.
SELECT format('DROP INDEX CONCURRENTLY %I.%I', space.nspname, entry.relname) AS removal
  FROM pg_index
  JOIN pg_class AS entry ON entry.oid = pg_index.indexrelid
  JOIN pg_namespace AS space ON space.oid = entry.relnamespace
 WHERE space.nspname = :schema AND NOT pg_index.indisvalid AND entry.relkind = 'i'
