-- A mail that a relay took may come back: then it did not arrive.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger DROP CONSTRAINT ledger_state_check;
ALTER TABLE ledger ADD CONSTRAINT ledger_state_known CHECK (state IN (
    'queued', 'claimed', 'sending', 'sent', 'deferred', 'failed', 'suppressed', 'expired', 'superseded',
    'unneeded', 'uncertain', 'unknown', 'bounced'
)) NOT VALID;

-- What came back may be sent again, as what failed, once the mailbox is not suppressed.
CREATE OR REPLACE FUNCTION owed(of_matter text, of_wave text, in_doubt boolean, at timestamptz)
RETURNS TABLE (thread_id uuid, revision integer, state text) LANGUAGE sql STABLE AS $$
    SELECT l.thread_id, l.revision, l.state
    FROM threads AS t
    JOIN ledger AS l ON l.thread_id = t.id AND l.revision = t.revision
    WHERE t.matter = of_matter AND (of_wave IS NULL OR l.wave = of_wave)
      AND (l.state IN ('failed', 'suppressed', 'expired', 'bounced') OR (in_doubt AND l.state = 'unknown'))
      AND (l.not_after IS NULL OR l.not_after > at)
      AND NOT EXISTS (SELECT FROM suppressions AS s WHERE s.mailbox = l.mailbox)
      AND NOT EXISTS (
          SELECT FROM unsubscribed AS u WHERE u.mailbox = l.mailbox AND u.subscription = l.subscription
      )
$$;

-- What came back: bounces, complaints and whatever else reaches the bounce address or a provider reports, once each.
-- `content` is as it came, until it is understood. It is to be handled while it is due, and is about the mail that its
-- address, or a provider that we trust, named.
CREATE TABLE returns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    way text NOT NULL CHECK (way IN ('mail', 'ses', 'postmark')),
    digest text NOT NULL,
    thread_id uuid,
    revision integer,
    content bytea,
    received_at timestamptz NOT NULL,
    due_at timestamptz,
    tries integer NOT NULL DEFAULT 0,
    kind text,
    said text,
    did text,
    mailbox text,
    UNIQUE (way, digest)
);
CREATE INDEX returns_due ON returns (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX returns_of_mailbox ON returns (mailbox, received_at) WHERE mailbox IS NOT NULL;
CREATE INDEX returns_of_thread ON returns (thread_id, received_at) WHERE thread_id IS NOT NULL;
CREATE INDEX returns_by_time ON returns (received_at);
CREATE INDEX returns_open ON returns (id) WHERE due_at IS NOT NULL OR content IS NOT NULL;
