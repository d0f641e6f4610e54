-- A key that is refused, and yet is ours, is in somebody's use: whoever looks at the keys sees it. Likewise one whose events
-- name another source than its own.
ALTER TABLE clarion.api_keys
    ADD COLUMN refused_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused_at timestamptz,
    ADD COLUMN refused_why text,
    ADD COLUMN other_source_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN other_source_at timestamptz;
