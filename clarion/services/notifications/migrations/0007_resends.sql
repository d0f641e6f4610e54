-- How often staff had the message sent again; its Message-ID tells them apart.
ALTER TABLE ledger ADD COLUMN resend integer NOT NULL DEFAULT 0;

-- The newest messages of a matter, or of one wave of it, that did not reach their mailbox and may be sent again in time.
-- Those of which nobody knows are among them only if asked for. What was suppressed counts once the mailbox is not.
CREATE FUNCTION owed(of_matter text, of_wave text, in_doubt boolean, at timestamptz)
RETURNS TABLE (thread_id uuid, revision integer, state text) LANGUAGE sql STABLE AS $$
    SELECT l.thread_id, l.revision, l.state
    FROM threads AS t
    JOIN ledger AS l ON l.thread_id = t.id AND l.revision = t.revision
    WHERE t.matter = of_matter AND (of_wave IS NULL OR l.wave = of_wave)
      AND (l.state IN ('failed', 'suppressed', 'expired') OR (in_doubt AND l.state = 'unknown'))
      AND (l.not_after IS NULL OR l.not_after > at)
      AND NOT EXISTS (SELECT FROM suppressions AS s WHERE s.mailbox = l.mailbox)
      AND NOT EXISTS (
          SELECT FROM unsubscribed AS u WHERE u.mailbox = l.mailbox AND u.subscription = l.subscription
      )
$$;
