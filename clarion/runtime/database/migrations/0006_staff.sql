-- Who acts for the association. Who was removed stays, so that the audit log goes on saying who it was.
CREATE TABLE clarion.staff (
    id text PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'state', 'manager', 'viewer')),
    added_at timestamptz NOT NULL,
    removed_at timestamptz
);

CREATE TABLE clarion.staff_divisions (
    staff_id text NOT NULL REFERENCES clarion.staff (id) ON DELETE CASCADE,
    division text NOT NULL,
    as_what text NOT NULL CHECK (as_what IN ('manager', 'deputy')),
    PRIMARY KEY (staff_id, division)
);
CREATE INDEX staff_divisions_by_division ON clarion.staff_divisions (division);

-- An account with the slugs of the divisions it works in.
CREATE VIEW clarion.accounts AS
SELECT a.id, a.name, a.email, a.role, a.added_at, a.removed_at,
       array(SELECT d.division FROM clarion.staff_divisions AS d
             WHERE d.staff_id = a.id AND d.as_what = 'manager' ORDER BY d.division) AS divisions,
       array(SELECT d.division FROM clarion.staff_divisions AS d
             WHERE d.staff_id = a.id AND d.as_what = 'deputy' ORDER BY d.division) AS deputy_in
FROM clarion.staff AS a;

-- Sessions that are open. Of the token only a hash is kept; the id is for naming a session to its owner.
CREATE TABLE clarion.sessions (
    id text PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    staff_id text NOT NULL REFERENCES clarion.staff (id) ON DELETE CASCADE,
    made_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    method text NOT NULL
);
CREATE INDEX sessions_by_staff ON clarion.sessions (staff_id);
CREATE INDEX sessions_by_end ON clarion.sessions (ends_at);

-- Links by which somebody can sign in once, each for the browser that asked for it.
CREATE TABLE clarion.sign_ins (
    token_hash bytea PRIMARY KEY,
    staff_id text NOT NULL REFERENCES clarion.staff (id) ON DELETE CASCADE,
    browser_hash bytea NOT NULL,
    next_path text NOT NULL,
    asked_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX sign_ins_by_staff ON clarion.sign_ins (staff_id);
CREATE INDEX sign_ins_by_end ON clarion.sign_ins (ends_at);

-- How often links were asked for, by the hash of an address or of a client, in a window that began at `since`.
CREATE TABLE clarion.sign_in_counts (
    subject_hash bytea PRIMARY KEY,
    since timestamptz NOT NULL,
    asked integer NOT NULL
);
CREATE INDEX sign_in_counts_by_time ON clarion.sign_in_counts (since);

-- What was done, by whom, to what, when and from where. Services add to it and read it; none can change it.
CREATE TABLE clarion.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text NOT NULL,
    place text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    divisions text[] NOT NULL DEFAULT '{}',
    mailbox text
);
CREATE INDEX audit_by_time ON clarion.audit (at, id);
CREATE INDEX audit_by_subject ON clarion.audit (subject, id);
CREATE INDEX audit_by_actor ON clarion.audit (actor_kind, actor_id, id);
CREATE INDEX audit_by_division ON clarion.audit USING gin (divisions);
CREATE INDEX audit_by_mailbox ON clarion.audit (mailbox, id) WHERE mailbox IS NOT NULL;

-- As before, with staff: every service asks who visits and records what they do, the directory keeps the accounts.
CREATE OR REPLACE FUNCTION clarion.create_service(service text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    service_role text := 'clarion_' || service;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service_role) THEN
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', service_role);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT %I TO %I', service_role, current_user);
    END IF;
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, service_role);
    EXECUTE format('GRANT USAGE ON SCHEMA clarion TO %I', service_role);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON clarion.api_keys TO %I', service_role);
    EXECUTE format('GRANT SELECT ON clarion.mailbox_key TO %I', service_role);
    EXECUTE format(
        'GRANT SELECT ON clarion.staff, clarion.staff_divisions, clarion.accounts, clarion.sessions TO %I', service_role
    );
    EXECUTE format('GRANT UPDATE (seen_at) ON clarion.sessions TO %I', service_role);
    EXECUTE format('GRANT SELECT, INSERT ON clarion.audit TO %I', service_role);
    IF service = 'directory' THEN
        EXECUTE format(
            'GRANT INSERT, UPDATE, DELETE ON clarion.staff, clarion.staff_divisions, clarion.sessions TO %I',
            service_role
        );
        EXECUTE format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON clarion.sign_ins, clarion.sign_in_counts TO %I', service_role
        );
    END IF;
END
$$;
