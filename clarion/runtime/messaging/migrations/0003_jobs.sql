-- Work that is due again and again, each done by whoever claims it first. Whoever has it says so by `lease_until`, and
-- `run` tells a claim from those before.
CREATE TABLE jobs (
    name text PRIMARY KEY,
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    run bigint NOT NULL DEFAULT 0,
    started_at timestamptz,
    ended_at timestamptz,
    seconds double precision,
    rows bigint,
    rows_so_far bigint NOT NULL DEFAULT 0,
    error text
);
COMMENT ON COLUMN jobs.rows IS 'what the last run that ended did; rows_so_far what the one under way did';
COMMENT ON COLUMN jobs.error IS 'why the last run did not end well; null if it did';
