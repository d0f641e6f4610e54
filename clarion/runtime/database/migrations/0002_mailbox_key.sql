-- The key that turns an address into its mailbox, one for all services. Made once: with another key every mailbox would be
-- a stranger.
CREATE TABLE clarion.mailbox_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key text NOT NULL CHECK (octet_length(key) BETWEEN 32 AND 64)
);

-- Services had keys of their own before. The directory's stays, since officials' mailboxes are in everybody's tables.
DO $$
DECLARE
    kept text;
BEGIN
    IF to_regclass('directory.mailbox_key') IS NOT NULL THEN
        SELECT key INTO kept FROM directory.mailbox_key;
    END IF;
    IF kept IS NULL AND to_regclass('registrations.mailbox_key') IS NOT NULL THEN
        SELECT key INTO kept FROM registrations.mailbox_key;
    END IF;
    INSERT INTO clarion.mailbox_key (key)
    VALUES (coalesce(kept, replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')));
END
$$;

-- HMAC-SHA256 (RFC 2104) of the address by that key: the same as clarion.schemas.mailboxes, for migrations.
CREATE FUNCTION clarion.mailbox(email text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT left(encode(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(lower(email), 'UTF8'))), 'hex'), 32)
    FROM (
        SELECT string_agg(set_byte('\x00', 0, get_byte(padded, place) # 54), '' ORDER BY place) AS inner_pad,
               string_agg(set_byte('\x00', 0, get_byte(padded, place) # 92), '' ORDER BY place) AS outer_pad
        FROM (
            SELECT convert_to(key, 'UTF8') || decode(repeat('00', 64 - octet_length(key)), 'hex') AS padded
            FROM clarion.mailbox_key
        ) AS keys, generate_series(0, 63) AS place
    ) AS pads
$$;

-- As before, with the key to read.
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
END
$$;
