-- Cancellations that came before the request they take back: `what` is that registration's id, or the mailbox.
-- A request that was said before is cancelled when it comes; one said later is a new one.
CREATE TABLE early_cancellations (
    event_id text NOT NULL,
    what text NOT NULL,
    said_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, what)
);
