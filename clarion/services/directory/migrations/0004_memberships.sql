-- What is known of an entity comes from three sides, and no side writes over another: `state` is what its own line in an
-- import says, `derived` what follows from other lines and from the day (memberships, whether a city is a member),
-- `corrected` what people said of themselves, or staff of them, until the line changes.
-- squawk-ignore ban-drop-constraint
ALTER TABLE entities DROP CONSTRAINT entities_kind_check;
ALTER TABLE entities ADD CONSTRAINT entities_kind_check CHECK (kind IN (
    'division', 'city', 'district', 'group', 'official', 'legislator', 'committee', 'partner', 'membership')) NOT VALID;
ALTER TABLE entities
    ADD COLUMN derived jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN corrected jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN entities.corrected IS 'fields as they are published instead; "active": false is one who has left';

ALTER TABLE imports
    ADD COLUMN gone bigint NOT NULL DEFAULT 0,
    ADD COLUMN held bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN imports.gone IS 'how many were marked as left';
COMMENT ON COLUMN imports.held IS 'how many corrections held against it';

-- What remains of corrections once a line says something else than before: each field whose own value is the same.
CREATE FUNCTION corrections_held(corrected jsonb, before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (
    SELECT coalesce(jsonb_object_agg(key, value), '{}')
    FROM jsonb_each(corrected)
    WHERE key <> 'active' AND before -> key IS NOT DISTINCT FROM after -> key
);

-- Every entity as others get to know it. A membership is no entity of its own there: its member carries it.
CREATE VIEW current_entities AS
SELECT kind, id, revision, active AND coalesce((corrected ->> 'active')::boolean, true) AS active,
       (state - 'stated_members') || derived || (corrected - 'active') AS body,
       import_id, changed_at
FROM entities
WHERE kind <> 'membership';
