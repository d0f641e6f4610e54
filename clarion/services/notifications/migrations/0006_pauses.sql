-- Which part of its matter a message belongs to, so that it can be paused with it.
ALTER TABLE ledger ADD COLUMN wave text NOT NULL DEFAULT '';

-- Whether a wave is paused, or (no wave) its whole matter; of each the newest revision.
CREATE TABLE pauses (
    matter text NOT NULL,
    wave text,
    revision integer NOT NULL,
    paused boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (matter, wave)
);

-- The pauses in force, for a mark. Whoever commits a pause holds this lock alone, so that each mark was either committed
-- before or sees the pause: a volatile function looks after it has the lock, while the statement that calls it looked
-- before.
CREATE FUNCTION pauses_for_marking() RETURNS TABLE (matter text, wave text) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('notifications.pauses', 0));
    RETURN QUERY SELECT p.matter, p.wave FROM pauses AS p WHERE p.paused;
END $$;
