-- What somebody said of an official that the association's list does not say. What holds stands in `entities.corrected`;
-- `before` is what stood there until then, for whoever takes it back.
CREATE TABLE corrections (
    id text PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind text NOT NULL DEFAULT 'official' CHECK (kind = 'official'),
    official text NOT NULL,
    wish text NOT NULL CHECK (wish IN ('left', 'not-me', 'name', 'address')),
    overlay jsonb NOT NULL CHECK (jsonb_typeof(overlay) = 'object'),
    before jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL CHECK (state IN ('asked', 'in-force', 'undone', 'refused')),
    mailbox text NOT NULL,
    said_by_kind text NOT NULL,
    said_by text NOT NULL,
    said_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    settled_by text,
    settled_at timestamptz,
    FOREIGN KEY (kind, official) REFERENCES entities (kind, id) ON DELETE CASCADE
);
COMMENT ON COLUMN corrections.overlay IS 'the fields as they are to be published; "active": false is one who has left';
COMMENT ON COLUMN corrections.mailbox IS 'by which the official was reached when it was said';
COMMENT ON COLUMN corrections.confirmed_at IS 'when somebody who reads the new address said that it is theirs';
CREATE INDEX corrections_by_official ON corrections (official, number);
CREATE INDEX corrections_by_mailbox ON corrections (mailbox, number);

-- Files that staff brought to be imported: first looked at, then, if somebody says so, imported.
CREATE TABLE uploads (
    id text PRIMARY KEY,
    kind text NOT NULL,
    is_full boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'looked', 'confirmed', 'imported', 'failed', 'dropped')),
    staff text NOT NULL,
    staff_name text NOT NULL,
    made_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    confirmed_by text,
    allow_large boolean NOT NULL DEFAULT false,
    lines_read bigint NOT NULL DEFAULT 0,
    leased_until timestamptz,
    report jsonb,
    problem text,
    import_id text
);
CREATE INDEX uploads_at_work ON uploads (made_at) WHERE state IN ('waiting', 'confirmed');
CREATE INDEX uploads_by_time ON uploads (changed_at);

CREATE TABLE upload_parts (
    upload text NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    file integer NOT NULL,
    name text NOT NULL,
    part integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (upload, file, part)
);
ALTER TABLE upload_parts ALTER COLUMN content SET STORAGE EXTERNAL;
