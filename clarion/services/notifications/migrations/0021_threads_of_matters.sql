-- A thread's id begins with its matter now, so that the threads of a matter, and their messages, are neighbours in the
-- indexes, and a matter is a range of ids. Threads that are there keep their ids, which stand in the mails that were sent and
-- in the addresses that bounces come back to: they are `scattered`, and found by matter and mailbox as long as they are kept.
-- To be applied while no service of the code before works: it names the constraint, and would make scattered threads that
-- nobody finds. Nothing was released with that constraint, so it goes at once.
ALTER TABLE threads ADD COLUMN scattered boolean NOT NULL DEFAULT true;
ALTER TABLE threads ALTER COLUMN scattered SET DEFAULT false;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX threads_scattered ON threads (matter, mailbox) WHERE scattered;
-- The id is made of both, so what it says the id says.
-- squawk-ignore ban-drop-constraint
ALTER TABLE threads DROP CONSTRAINT threads_matter_mailbox_key;

-- The lowest and the highest id that a thread of the matter may have; the same as matter_key of the domain.
CREATE FUNCTION first_thread(of_matter text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT rpad(left(encode(sha256(convert_to(of_matter, 'UTF8')), 'hex'), 12), 32, '0')::uuid
$$;
CREATE FUNCTION last_thread(of_matter text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT rpad(left(encode(sha256(convert_to(of_matter, 'UTF8')), 'hex'), 12), 32, 'f')::uuid
$$;

-- The threads of a matter, also where another begins with the same twelve digits.
CREATE FUNCTION threads_of(of_matter text) RETURNS SETOF threads LANGUAGE sql STABLE AS $$
    SELECT * FROM threads
    WHERE id BETWEEN first_thread(of_matter) AND last_thread(of_matter) AND matter = of_matter AND NOT scattered
    UNION ALL
    SELECT * FROM threads WHERE matter = of_matter AND scattered
$$;

CREATE OR REPLACE FUNCTION owed(of_matter text, of_wave text, in_doubt boolean, at timestamptz)
RETURNS TABLE (thread_id uuid, revision integer, state text) LANGUAGE sql STABLE AS $$
    SELECT l.thread_id, l.revision, l.state
    FROM threads_of(of_matter) AS t
    JOIN ledger AS l ON l.thread_id = t.id AND l.revision = t.revision
    WHERE (of_wave IS NULL OR l.wave = of_wave)
      AND (l.state IN ('failed', 'suppressed', 'expired', 'bounced') OR (in_doubt AND l.state = 'unknown'))
      AND (l.not_after IS NULL OR l.not_after > at)
      AND NOT EXISTS (SELECT FROM suppressions AS s WHERE s.mailbox = l.mailbox)
      AND NOT EXISTS (
          SELECT FROM unsubscribed AS u WHERE u.mailbox = l.mailbox AND u.subscription = l.subscription
      )
$$;

CREATE OR REPLACE FUNCTION messages_fitting(
    of_matter text, of_wave text, of_mailboxes text[], of_official text, in_state text, in_lane smallint,
    since timestamptz, until timestamptz
) RETURNS SETOF messages LANGUAGE sql STABLE AS $$
    SELECT m.*
    FROM messages AS m
    WHERE (
          (of_matter IS NULL AND of_mailboxes IS NULL)
          OR m.thread_id = ANY(ARRAY(
              SELECT t.id FROM threads_of(of_matter) AS t
              WHERE of_mailboxes IS NULL OR t.mailbox = ANY(of_mailboxes)
              UNION ALL
              SELECT t.id FROM threads AS t WHERE of_matter IS NULL AND t.mailbox = ANY(of_mailboxes)
          ))
      )
      AND (of_wave IS NULL OR m.wave = of_wave)
      AND (of_official IS NULL OR m.officials @> ARRAY[of_official])
      AND (in_state IS NULL OR m.state = in_state)
      AND (in_lane IS NULL OR m.lane = in_lane)
      AND (since IS NULL OR m.queued_at >= since)
      AND (until IS NULL OR m.queued_at < until)
$$;
