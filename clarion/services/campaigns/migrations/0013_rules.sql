-- The installation's own rules of committees, version by version; the newest holds, and the project's own rules are
-- version 0 of each.
CREATE TABLE committee_rules (
    jurisdiction text NOT NULL,
    chamber text NOT NULL,
    -- the committee's name as it is compared
    name_key text NOT NULL,
    version integer NOT NULL,
    committee text NOT NULL,
    aliases text[] NOT NULL,
    -- as people say it: "5 business days", "unknown"; null: what the project has holds again
    due text,
    at text NOT NULL,
    source text,
    checked_on date,
    note text,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (jurisdiction, chamber, name_key, version)
);

-- Deadlines that staff set for one hearing, version by version; the newest holds.
CREATE TABLE hearing_overrides (
    hearing text NOT NULL REFERENCES hearings,
    version integer NOT NULL,
    -- the day of the hearing for which it was set: once moved to another day it has the deadline of that day
    day date NOT NULL,
    -- null: nobody knows it, whatever the notice or a rule says
    due_at timestamptz,
    -- it was taken back: the notice and the rule hold again
    withdrawn boolean NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (hearing, version)
);

-- Where the letters' deadline comes from: kind, text, address and the day of the last check.
ALTER TABLE campaigns ADD COLUMN due jsonb;
