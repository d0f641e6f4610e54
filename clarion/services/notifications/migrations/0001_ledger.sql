CREATE TABLE cities (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    name text NOT NULL,
    active boolean NOT NULL
);

CREATE TABLE officials (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    mailbox text NOT NULL,
    city text NOT NULL,
    roles text[] NOT NULL,
    active boolean NOT NULL
);

CREATE INDEX officials_mailbox ON officials (mailbox);

-- What the messages of one matter, revision and wave share, kept once.
CREATE TABLE contents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    matter text NOT NULL,
    revision integer NOT NULL,
    digest text NOT NULL,
    template text NOT NULL,
    lane text NOT NULL,
    subscription text,
    reply_to jsonb,
    not_after timestamptz,
    facts jsonb NOT NULL,
    content jsonb NOT NULL,
    UNIQUE (matter, revision, digest)
);

-- One matter with one mailbox. `revision` is the newest that anyone asked to be told.
CREATE TABLE threads (
    id uuid PRIMARY KEY,
    matter text NOT NULL,
    mailbox text NOT NULL,
    revision integer NOT NULL,
    UNIQUE (matter, mailbox)
);

CREATE INDEX threads_mailbox ON threads (mailbox);

-- A sender at work. Its lease covers all that it has claimed.
CREATE TABLE workers (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL
);

-- `parts` are the recipients as they were asked for; several when a shared mailbox came in several batches.
-- `claim` counts how often the row was claimed, so that a late word from an earlier claim is recognised.
-- `attempts` counts answers of the relay and doubts, `doubts` how often the end was not known.
CREATE TABLE ledger (
    thread_id uuid NOT NULL,
    revision integer NOT NULL,
    content_id bigint NOT NULL,
    matter text NOT NULL,
    mailbox text NOT NULL,
    lane smallint NOT NULL,
    subscription text,
    officials text[] NOT NULL,
    parts jsonb NOT NULL,
    not_after timestamptz,
    state text NOT NULL CHECK (state IN (
        'queued', 'claimed', 'sending', 'sent', 'deferred', 'failed', 'suppressed', 'expired', 'superseded',
        'unneeded', 'uncertain', 'unknown'
    )),
    state_at timestamptz NOT NULL,
    reason text,
    last_reply text,
    queued_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    worker_id uuid,
    claim integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    doubts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (thread_id, revision)
) PARTITION BY HASH (thread_id);

CREATE TABLE ledger_0 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 0) WITH (fillfactor = 80);
CREATE TABLE ledger_1 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 1) WITH (fillfactor = 80);
CREATE TABLE ledger_2 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 2) WITH (fillfactor = 80);
CREATE TABLE ledger_3 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 3) WITH (fillfactor = 80);
CREATE TABLE ledger_4 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 4) WITH (fillfactor = 80);
CREATE TABLE ledger_5 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 5) WITH (fillfactor = 80);
CREATE TABLE ledger_6 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 6) WITH (fillfactor = 80);
CREATE TABLE ledger_7 PARTITION OF ledger FOR VALUES WITH (MODULUS 8, REMAINDER 7) WITH (fillfactor = 80);

CREATE INDEX ledger_due ON ledger (lane, due_at) WHERE state IN ('queued', 'deferred', 'uncertain');
CREATE INDEX ledger_ending ON ledger (not_after) WHERE state IN ('queued', 'deferred', 'uncertain');
CREATE INDEX ledger_at_work ON ledger (worker_id) WHERE state IN ('claimed', 'sending');
CREATE INDEX ledger_open_mailbox ON ledger (mailbox)
WHERE state IN ('queued', 'deferred', 'uncertain', 'claimed');

CREATE TABLE unsubscribed (
    mailbox text NOT NULL,
    subscription text NOT NULL,
    left_at timestamptz NOT NULL,
    PRIMARY KEY (mailbox, subscription)
);

-- Mailboxes that get nothing more, whatever is asked.
CREATE TABLE suppressions (
    mailbox text PRIMARY KEY,
    reason text NOT NULL,
    since timestamptz NOT NULL
);
