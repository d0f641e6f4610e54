-- What somebody started and what follows from the last campaign.

-- A draft that was started once is the same campaign whenever it comes again.
CREATE TABLE drafts (
    id text PRIMARY KEY,
    campaign text NOT NULL,
    -- sha256 of what it says
    digest bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- A bill that goes on after a campaign on it: the next campaign, drafted until its hearing is set. `id` is that campaign's
-- from the start; a bill that is heard together with others becomes a part of theirs.
CREATE TABLE follow_ups (
    id text PRIMARY KEY,
    jurisdiction text NOT NULL,
    session text NOT NULL,
    bill_key text NOT NULL,
    bill text NOT NULL,
    follows text NOT NULL,
    -- as the bill's source names the one that hears it next; null while nobody has said
    committee jsonb,
    amended_on date,
    state text NOT NULL CHECK (state IN ('waiting', 'set', 'dropped')),
    -- what it became, or why it was dropped
    campaign text,
    dropped_reason text,
    drafted_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX follow_ups_waiting ON follow_ups (jurisdiction, session, bill_key) WHERE state = 'waiting';

-- Which campaigns a campaign follows: what was chosen and written there was carried over.
CREATE TABLE followed (
    campaign text NOT NULL,
    follows text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (campaign, follows)
);
