-- Whether a division's wave is paused, or (no division) the whole campaign; `revision` counts its pauses and resumptions.
CREATE TABLE pauses (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    division text,
    revision integer NOT NULL,
    paused boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (campaign, division)
);
