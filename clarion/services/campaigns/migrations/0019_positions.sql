-- A position is more than a stance on a bill: what it is on, for which priority, who took it when and whom to ask. Each
-- change is a version of its own, a withdrawal too: that one's stance is `watch`, which asks nothing whatever reads it.
ALTER TABLE positions
    -- regulation and measure have no session, and a key that no bill has
    ADD COLUMN subject text NOT NULL DEFAULT 'bill' CHECK (subject IN ('bill', 'regulation', 'measure')),
    -- groups of the directory that it concerns
    ADD COLUMN groups text[] NOT NULL DEFAULT '{}',
    ADD COLUMN priority text,
    -- a staff account's id, or else somebody by name
    ADD COLUMN representative_account text,
    ADD COLUMN representative_name text,
    ADD COLUMN representative_email text,
    ADD COLUMN representative_phone text,
    ADD COLUMN adopted_by text,
    ADD COLUMN adopted_on date,
    ADD COLUMN withdrawn boolean NOT NULL DEFAULT false,
    ADD COLUMN withdrawn_reason text;
