-- name: insert_api_key!
INSERT INTO clarion.api_keys (id, name, key_hash, scopes, source, created_at, expires_at)
VALUES (:id, :name, :key_hash, :scopes, :source, :created_at, :expires_at)

-- name: list_api_keys
SELECT id, name, scopes, source, created_at, last_used_at, expires_at, revoked_at
FROM clarion.api_keys
ORDER BY created_at, id

-- name: find_api_key^
SELECT id, name, key_hash, scopes, source, last_used_at, expires_at, revoked_at
FROM clarion.api_keys
WHERE id = :id

-- name: touch_api_key!
-- Once a minute is enough to see whether a key is in use; every request would make it a hot row.
UPDATE clarion.api_keys SET last_used_at = :now::timestamptz
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :now::timestamptz - interval '1 minute')

-- name: revoke_api_key^
UPDATE clarion.api_keys SET revoked_at = coalesce(revoked_at, :now)
WHERE id = :id
RETURNING id
