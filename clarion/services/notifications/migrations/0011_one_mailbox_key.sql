-- Registrations had a key of mailboxes of their own. What was asked for by address, as theirs is, follows the address: its
-- thread, so that the next notice is told as a change, and what was left or suppressed.
CREATE TEMPORARY TABLE renamed ON COMMIT DROP AS
SELECT before, mailbox
FROM (
    SELECT mailbox AS before, clarion.mailbox(min(parts -> 0 ->> 'address')) AS mailbox
    FROM ledger
    WHERE parts -> 0 ->> 'address' IS NOT NULL
    GROUP BY mailbox
) AS asked
WHERE before <> mailbox;

UPDATE threads SET mailbox = renamed.mailbox FROM renamed WHERE threads.mailbox = renamed.before;
UPDATE ledger SET mailbox = renamed.mailbox FROM renamed WHERE ledger.mailbox = renamed.before;

INSERT INTO unsubscribed (mailbox, subscription, left_at)
SELECT renamed.mailbox, subscription, left_at FROM unsubscribed JOIN renamed ON unsubscribed.mailbox = renamed.before
ON CONFLICT DO NOTHING;
DELETE FROM unsubscribed USING renamed WHERE unsubscribed.mailbox = renamed.before;

INSERT INTO suppressions (mailbox, reason, since)
SELECT renamed.mailbox, reason, since FROM suppressions JOIN renamed ON suppressions.mailbox = renamed.before
ON CONFLICT DO NOTHING;
DELETE FROM suppressions USING renamed WHERE suppressions.mailbox = renamed.before;
