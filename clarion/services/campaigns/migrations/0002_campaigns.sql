-- Positions, hearings, and the campaigns that come of both.

CREATE TABLE positions (
    jurisdiction text NOT NULL,
    session text NOT NULL,
    bill_key text NOT NULL,
    version integer NOT NULL,
    id text NOT NULL UNIQUE,
    bill text NOT NULL,
    stance text NOT NULL,
    ask text NOT NULL,
    why text NOT NULL,
    policy_area text,
    points text,
    letter text,
    statewide boolean NOT NULL,
    include_non_members boolean NOT NULL,
    launch text NOT NULL CHECK (launch IN ('auto', 'approval')),
    adopted_at timestamptz NOT NULL,
    PRIMARY KEY (jurisdiction, session, bill_key, version)
);

CREATE TABLE hearings (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    jurisdiction text NOT NULL,
    session text NOT NULL,
    -- from then on nobody's voice counts: the start, or the end of the day where only a date is known
    ends_at timestamptz NOT NULL,
    alert jsonb NOT NULL
);

CREATE INDEX hearings_by_end ON hearings (ends_at);

CREATE TABLE hearing_bills (
    hearing text NOT NULL REFERENCES hearings ON DELETE CASCADE,
    bill_key text NOT NULL,
    PRIMARY KEY (hearing, bill_key)
);

CREATE INDEX hearing_bills_by_key ON hearing_bills (bill_key);

CREATE TABLE campaigns (
    id text PRIMARY KEY,
    hearing text NOT NULL UNIQUE REFERENCES hearings,
    revision integer NOT NULL,
    status text NOT NULL CHECK (status IN ('waiting', 'drafted', 'launched', 'closed')),
    problem text,
    -- it waits for nothing but the rest of the directory
    waits_for_directory boolean NOT NULL,
    title text NOT NULL,
    bills text[] NOT NULL,
    committee text,
    held text NOT NULL,
    letters_due_at timestamptz,
    not_after timestamptz,
    ends_at timestamptz NOT NULL,
    -- what the launch was made from: the hearing's revision and the positions' ids
    hearing_revision bigint NOT NULL,
    positions text[] NOT NULL,
    divisions integer NOT NULL DEFAULT 0,
    cities integer NOT NULL DEFAULT 0,
    officials integer NOT NULL DEFAULT 0,
    -- the facts and the content of its messages, fixed at the launch
    message jsonb,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    launched_at timestamptz
);

CREATE INDEX campaigns_open ON campaigns (ends_at) WHERE status <> 'closed';

CREATE TABLE campaign_cities (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    city text NOT NULL,
    name text NOT NULL,
    division text,
    bills text[] NOT NULL,
    reasons jsonb NOT NULL,
    PRIMARY KEY (campaign, city)
);

-- The wave '' is that of the cities without a division.
CREATE TABLE waves (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    division text NOT NULL,
    cities integer NOT NULL,
    officials integer NOT NULL,
    PRIMARY KEY (campaign, division)
);

CREATE TABLE fanout_jobs (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    division text NOT NULL,
    bucket smallint NOT NULL,
    officials integer NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (campaign, bucket, division)
);

CREATE INDEX fanout_jobs_open ON fanout_jobs (campaign, bucket, division) WHERE done_at IS NULL;

-- Its reasons are those of its city in campaign_cities. No foreign key: it would look up the one campaign for every row
-- of a fan-out.
CREATE TABLE calls (
    campaign text NOT NULL,
    official text NOT NULL,
    city text NOT NULL,
    division text NOT NULL,
    mailbox text NOT NULL,
    letter boolean NOT NULL,
    testimony boolean NOT NULL,
    asked_at timestamptz NOT NULL,
    outcome text,
    outcome_revision integer,
    outcome_at timestamptz,
    PRIMARY KEY (campaign, official)
);

CREATE INDEX calls_by_mailbox ON calls (campaign, mailbox);
