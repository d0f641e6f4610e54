-- Erasures that somebody asked for, so that one that was killed goes on where it was. `who` says whom until it is done; then
-- only that it was done, and how much of what went.
CREATE TABLE clarion.erasures (
    id text PRIMARY KEY,
    mailbox text,
    who jsonb,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    done_at timestamptz,
    counts jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX erasures_open ON clarion.erasures (mailbox) WHERE done_at IS NULL;
