-- name: insert_api_key!
INSERT INTO clarion.api_keys (id, name, key_hash, scopes, source, created_at, expires_at)
VALUES (:id, :name, :key_hash, :scopes, :source, :created_at, :expires_at)

-- name: list_api_keys
SELECT id, name, scopes, source, created_at, last_used_at, expires_at, revoked_at, refused_count, refused_at, refused_why,
       other_source_count, other_source_at
FROM clarion.api_keys
ORDER BY created_at, id

-- name: find_api_key^
SELECT id, name, key_hash, scopes, source, last_used_at, expires_at, revoked_at
FROM clarion.api_keys
WHERE id = :id

-- name: lock_api_key^
SELECT id, name, revoked_at FROM clarion.api_keys WHERE id = :id FOR UPDATE

-- name: touch_api_key!
-- Once a minute is enough to see whether a key is in use; every request would make it a hot row.
UPDATE clarion.api_keys SET last_used_at = :now::timestamptz
WHERE id = :id AND (last_used_at IS NULL OR last_used_at < :now::timestamptz - interval '1 minute')

-- name: count_refused_key$
-- Whether it is the first refusal since then.
UPDATE clarion.api_keys AS key
SET refused_count = key.refused_count + 1, refused_at = :now::timestamptz, refused_why = :why
FROM (SELECT id, refused_at FROM clarion.api_keys WHERE id = :id FOR UPDATE) AS before
WHERE key.id = before.id
RETURNING before.refused_at IS NULL OR before.refused_at <= :since::timestamptz

-- name: count_other_source!
UPDATE clarion.api_keys
SET other_source_count = other_source_count + :events, other_source_at = :now::timestamptz
WHERE id = :id

-- name: revoke_api_key$
-- Done again it changes nothing: a key was revoked when it was revoked first.
UPDATE clarion.api_keys SET revoked_at = coalesce(revoked_at, :now)
WHERE id = :id
RETURNING revoked_at
