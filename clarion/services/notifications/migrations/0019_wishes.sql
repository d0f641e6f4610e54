-- What readers of a mailbox asked for by the link in their mail: the export that is sent to the mailbox, and to be erased,
-- which staff decide on. The newest of each.
CREATE TABLE wishes (
    mailbox text NOT NULL,
    wish text NOT NULL CHECK (wish IN ('export', 'erasure')),
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (mailbox, wish)
);
