CREATE TABLE clarion.api_keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    key_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    source text,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz
);

-- The Kafka cluster whose topics hold what the outboxes say was published.
CREATE TABLE clarion.broker (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    cluster_id text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- Roles belong to the whole cluster: another database's migration may create or grant the same one at this moment.
CREATE FUNCTION clarion.create_service(service text) RETURNS void LANGUAGE plpgsql AS $$
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
END
$$;
