-- The messages that fit each of these, where it is given.
CREATE FUNCTION messages_fitting(
    of_matter text, of_wave text, of_mailboxes text[], of_official text, in_state text, in_lane smallint,
    since timestamptz, until timestamptz
) RETURNS SETOF ledger LANGUAGE sql STABLE AS $$
    SELECT l.*
    FROM ledger AS l
    WHERE (
          (of_matter IS NULL AND of_mailboxes IS NULL)
          OR l.thread_id = ANY(ARRAY(
              SELECT t.id FROM threads AS t
              WHERE (of_matter IS NULL OR t.matter = of_matter)
                AND (of_mailboxes IS NULL OR t.mailbox = ANY(of_mailboxes))
          ))
      )
      AND (of_wave IS NULL OR l.wave = of_wave)
      AND (of_official IS NULL OR l.officials @> ARRAY[of_official])
      AND (in_state IS NULL OR l.state = in_state)
      AND (in_lane IS NULL OR l.lane = in_lane)
      AND (since IS NULL OR l.queued_at >= since)
      AND (until IS NULL OR l.queued_at < until)
$$;
