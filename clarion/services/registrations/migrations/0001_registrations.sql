-- Events with seats. The counts are changed under the row's lock only, together with the registrations they count.
CREATE TABLE webinars (
    id text PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'cancelled')),
    reason text,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
    closes_at timestamptz NOT NULL,
    capacity integer NOT NULL CHECK (capacity >= 0),
    description jsonb NOT NULL CHECK (jsonb_typeof(description) = 'object'),
    revision integer NOT NULL DEFAULT 1 CHECK (revision >= 1),
    confirmed integer NOT NULL DEFAULT 0 CHECK (confirmed >= 0),
    waiting integer NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    last_position bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON COLUMN webinars.description IS 'the event as its host describes it; the columns of the same names hold over it';

-- One row per request. No foreign key to webinars: rows are written under the lock of their event, or are pending
-- ones of an event that was just read, and events are never deleted.
CREATE TABLE registrations (
    id text PRIMARY KEY,
    event_id text NOT NULL,
    mailbox text NOT NULL,
    token text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    answers jsonb NOT NULL DEFAULT '{}',
    own boolean NOT NULL,
    status text NOT NULL
        CHECK (status IN ('pending', 'confirmed', 'waitlisted', 'declined', 'cancelled', 'repeated')),
    reason text,
    position bigint,
    same_as text,
    revision integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    decided_at timestamptz,
    cancel_asked_at timestamptz
);
COMMENT ON COLUMN registrations.own IS 'came over our own pages, API or command line, whose id nobody else chose';
COMMENT ON COLUMN registrations.same_as IS 'the registration that a repeated request got as its answer';

-- The last guard of "one seat per person and event", should the code be wrong.
CREATE UNIQUE INDEX registrations_one_per_person ON registrations (event_id, mailbox)
    WHERE status IN ('confirmed', 'waitlisted');
CREATE UNIQUE INDEX registrations_token ON registrations (token);
CREATE INDEX registrations_declined ON registrations (event_id, mailbox) WHERE status = 'declined';
CREATE INDEX registrations_waiting ON registrations (event_id, position) WHERE status = 'waitlisted';

-- The key that turns an address into its mailbox. Made once: with another key every mailbox would be a stranger.
CREATE TABLE mailbox_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key text NOT NULL
);
