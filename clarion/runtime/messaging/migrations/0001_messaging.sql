-- What this service wants published. The relay reads it in the order of id; published rows stay as the replayable log.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL,
    key bytea,
    headers jsonb NOT NULL,
    body bytea,
    enqueued_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    PRIMARY KEY (id, enqueued_at)
) PARTITION BY RANGE (enqueued_at);

CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;

-- A row of a day that nobody made a partition for is kept here, so that enqueueing never fails.
CREATE TABLE outbox_default PARTITION OF outbox DEFAULT;

-- Makes the partitions of the coming days and drops those that are wholly published and past their keep.
CREATE FUNCTION maintain_outbox(days_ahead integer DEFAULT 3, days_kept integer DEFAULT 7)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    partition_name text;
    partition_day date;
    in_use boolean;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.maintain_outbox', 0)) THEN
        RETURN;
    END IF;
    FOR day IN SELECT today + ahead FROM generate_series(0, days_ahead) AS ahead LOOP
        partition_name := 'outbox_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(quote_ident(partition_name)) IS NOT NULL;
        -- LIKE and ATTACH, since CREATE ... PARTITION OF would shut out everyone who enqueues.
        EXECUTE format('CREATE TABLE %I (LIKE outbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
        EXECUTE format(
            'WITH moved AS (DELETE FROM outbox_default
                            WHERE enqueued_at >= %L AND enqueued_at < %L RETURNING *)
             INSERT INTO %I SELECT * FROM moved',
            day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC', partition_name);
        EXECUTE format(
            'ALTER TABLE outbox ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            partition_name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    END LOOP;
    FOR partition_name IN
        SELECT child.relname FROM pg_inherits
        JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'outbox'::regclass AND child.relname ~ '^outbox_[0-9]{8}$'
    LOOP
        partition_day := to_date(right(partition_name, 8), 'YYYYMMDD');
        CONTINUE WHEN partition_day >= today - days_kept;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE published_at IS NULL)', partition_name) INTO in_use;
        IF NOT in_use THEN
            EXECUTE format('DROP TABLE %I', partition_name);
        END IF;
    END LOOP;
    DELETE FROM outbox_default
    WHERE published_at IS NOT NULL
      AND enqueued_at < (today - days_kept)::timestamp AT TIME ZONE 'UTC';
END
$$;

SELECT maintain_outbox();

-- Which events of which topic were handled, or became dead letters: seen twice, done once.
CREATE TABLE inbox (
    topic text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, source, event_id)
);

CREATE INDEX inbox_received ON inbox USING brin (received_at);

CREATE FUNCTION purge_inbox(days_kept integer DEFAULT 30, at_most integer DEFAULT 50000)
RETURNS integer LANGUAGE sql AS $$
    WITH purged AS (
        DELETE FROM inbox WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM inbox WHERE received_at < now() - make_interval(days => days_kept) LIMIT at_most))
        RETURNING 1)
    SELECT count(*)::integer FROM purged
$$;

CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint bytea NOT NULL UNIQUE,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key bytea,
    headers jsonb NOT NULL,
    body bytea,
    received_at timestamptz NOT NULL,
    source text,
    event_id text,
    type text,
    -- Whether this letter made the inbox row of its event; if not, somebody else may have handled that event.
    claimed boolean NOT NULL,
    reason text NOT NULL,
    detail text,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'discarded')),
    seen integer NOT NULL DEFAULT 1,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz
);

CREATE INDEX dead_letters_open ON dead_letters (topic, type) WHERE state = 'open';
