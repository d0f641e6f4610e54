-- Where a source stands about a hearing under one of its ids: its newest notice, and its newest end of the hearing.
-- By the id and not by the hearing, since a cancellation may come before anything is known. `statements` is what the
-- release before keeps, and goes with the next.
CREATE TABLE standings (
    jurisdiction text NOT NULL,
    alias text NOT NULL,
    source text NOT NULL,
    stand text NOT NULL CHECK (stand IN ('living', 'cancelled', 'absent')),
    changed_at timestamptz NOT NULL,
    arrival bigint NOT NULL,
    notice jsonb,
    noticed_at timestamptz,
    notice_sequence bigint,
    ended_at timestamptz,
    end_sequence bigint,
    PRIMARY KEY (jurisdiction, alias, source)
);

INSERT INTO standings (jurisdiction, alias, source, stand, changed_at, arrival, notice, noticed_at, notice_sequence)
SELECT jurisdiction, alias, source, 'living', stated_at,
       row_number() OVER (ORDER BY statements.received_at, source, alias),
       body, stated_at, (body ->> 'sequence')::bigint
FROM statements
JOIN hearing_aliases USING (hearing_id)
WHERE body ->> 'hearing_id' = alias;

-- Withdrawals that wait for the bill to appear elsewhere; an empty key is the whole hearing.
CREATE TABLE withdrawals (
    hearing_id uuid NOT NULL REFERENCES hearings,
    bill_key text NOT NULL,
    jurisdiction text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (hearing_id, bill_key)
);
CREATE INDEX withdrawals_bill ON withdrawals (jurisdiction, bill_key);
CREATE INDEX withdrawals_due ON withdrawals (due_at);

-- Each source's last list of coming hearings, of a jurisdiction or of one committee of it.
CREATE TABLE calendars (
    source text NOT NULL,
    jurisdiction text NOT NULL,
    committee text NOT NULL,
    aliases text[] NOT NULL,
    stated_at timestamptz NOT NULL,
    PRIMARY KEY (source, jurisdiction, committee)
);

-- By these a hearing is found that has another id; null in rows of the release before.
ALTER TABLE hearings ADD COLUMN committee text, ADD COLUMN starts text, ADD COLUMN bills text[];

-- Made wider below: what the release before writes is still allowed.
-- squawk-ignore ban-drop-constraint
ALTER TABLE history DROP CONSTRAINT history_outcome_check;
ALTER TABLE history ADD CONSTRAINT history_outcome_check CHECK (
    outcome IN ('received', 'alerted', 'waiting', 'unchanged', 'outdated', 'recorded', 'rejected')) NOT VALID;
