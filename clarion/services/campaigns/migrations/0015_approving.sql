-- What approving needs beside the verdict: since when a wave waits, what its people were told of that, and all verdicts.
ALTER TABLE approvals
    ADD COLUMN since timestamptz,
    -- when its people were mailed that it waits; and for which end of its use they were mailed that it is urgent
    ADD COLUMN told_at timestamptz,
    ADD COLUMN urgent_for timestamptz,
    -- of the division '*': the facts and the bills that came to a launched campaign and wait for all divisions at once
    ADD COLUMN held jsonb;

CREATE TABLE verdicts (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    division text NOT NULL,
    revision integer NOT NULL,
    state text NOT NULL,
    reason text,
    -- who, as kind and id; nobody where the campaign itself changed
    decided_by text,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (campaign, division, revision)
);

-- How people know somebody who acts: `actor` is a kind and an id. Erased with the account.
CREATE FUNCTION name_of_actor(actor text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT s.name FROM clarion.staff AS s WHERE 'staff:' || s.id = actor),
        (SELECT k.name FROM clarion.api_keys AS k WHERE 'key:' || k.id = actor),
        split_part(actor, ':', 2))
$$;

-- The roles that a campaign asks to write, by what its calls have in common; NULL asks everyone of the audience.
CREATE FUNCTION letter_roles_of(message jsonb, otherwise text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN NOT coalesce(message ? 'letter_roles', false) THEN otherwise
                WHEN jsonb_typeof(message -> 'letter_roles') = 'array'
                THEN ARRAY(SELECT jsonb_array_elements_text(message -> 'letter_roles')) END
$$;
