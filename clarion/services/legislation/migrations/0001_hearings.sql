-- A hearing as Clarion knows it: `state` is the last alert.
CREATE TABLE hearings (
    id uuid PRIMARY KEY,
    jurisdiction text NOT NULL,
    revision bigint NOT NULL,
    status text NOT NULL,
    state jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- The ids that sources give a hearing, unique in a jurisdiction whichever source says them. Deferred, since a batch
-- claims its aliases before it knows which hearings it makes: the claim is what two replicas meet at.
CREATE TABLE hearing_aliases (
    jurisdiction text NOT NULL,
    alias text NOT NULL,
    hearing_id uuid NOT NULL REFERENCES hearings DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (jurisdiction, alias)
);
CREATE INDEX hearing_aliases_hearing ON hearing_aliases (hearing_id);

-- What each source said last of a hearing.
CREATE TABLE statements (
    hearing_id uuid NOT NULL REFERENCES hearings,
    source text NOT NULL,
    event_id text NOT NULL,
    body jsonb NOT NULL,
    stated_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (hearing_id, source)
);

-- Every update and what became of it.
CREATE TABLE history (
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    body jsonb,
    stated_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('received', 'alerted', 'unchanged', 'rejected')),
    note text,
    hearing_id uuid,
    PRIMARY KEY (source, event_id)
);
CREATE INDEX history_hearing ON history (hearing_id) WHERE hearing_id IS NOT NULL;
