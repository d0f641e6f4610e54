-- What somebody changed about the time of a campaign that was started, so that a slip can be taken back.
CREATE TABLE occasion_changes (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    -- the occasion's revision to which it led
    revision integer NOT NULL,
    what text NOT NULL CHECK (what IN ('moved', 'cancelled', 'taken-back')),
    -- the occasion's fields that it changed, as they were
    before jsonb NOT NULL,
    -- who, as kind and id
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (campaign, revision)
);
