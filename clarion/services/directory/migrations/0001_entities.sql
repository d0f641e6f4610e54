-- One row per thing the directory knows. `state` is the body that other services get, without id, revision and active.
CREATE TABLE entities (
    kind text NOT NULL CHECK (kind IN ('division', 'city', 'district', 'group', 'official', 'legislator', 'committee')),
    id text NOT NULL,
    revision bigint NOT NULL CHECK (revision >= 1),
    active boolean NOT NULL DEFAULT true,
    state jsonb NOT NULL CHECK (jsonb_typeof(state) = 'object'),
    import_id text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (kind, id)
);
COMMENT ON COLUMN entities.import_id IS 'the import that brought this revision';

CREATE TABLE imports (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    kind text NOT NULL,
    completed_at timestamptz NOT NULL,
    added bigint NOT NULL,
    changed bigint NOT NULL,
    unchanged bigint NOT NULL,
    rejected bigint NOT NULL
);
CREATE INDEX imports_newest ON imports (kind, number DESC);

-- The key that turns an address into its mailbox. Made once: with another key every mailbox would be a stranger.
CREATE TABLE mailbox_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key text NOT NULL
);
