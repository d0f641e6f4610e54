-- A bill as Clarion knows it: `state` is what was told last.
CREATE TABLE bills (
    id uuid PRIMARY KEY,
    revision bigint NOT NULL,
    state jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Where a source stands about a bill: its newest update.
CREATE TABLE bill_standings (
    bill uuid NOT NULL REFERENCES bills,
    source text NOT NULL,
    changed_at timestamptz NOT NULL,
    arrival bigint NOT NULL,
    said jsonb NOT NULL,
    said_at timestamptz NOT NULL,
    sequence bigint,
    PRIMARY KEY (bill, source)
);
