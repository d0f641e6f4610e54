-- The relay that a mail was last offered to.
ALTER TABLE ledger ADD COLUMN relay text;

-- What is not sent for a while: nothing to a domain through a relay, or (no domain) nothing through it at all. `tries`
-- counts how often in a row it was opened. Once `until` has passed, one mail at a time is sent as a probe.
CREATE TABLE breakers (
    relay text NOT NULL,
    domain text NOT NULL,
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    probe_until timestamptz,
    tries integer NOT NULL,
    PRIMARY KEY (relay, domain)
);

-- What senders last heard of each relay.
CREATE TABLE relays (
    name text PRIMARY KEY,
    state text NOT NULL,
    said text NOT NULL,
    said_at timestamptz NOT NULL
);

-- How many mails may go at once to what a rate limits, and for each lane until when mail waits there in line.
CREATE TABLE buckets (
    name text PRIMARY KEY,
    tokens double precision NOT NULL,
    filled_at timestamptz NOT NULL,
    lines timestamptz[] NOT NULL
);

-- Takes tokens for mail of several buckets, each asked for as {name, rate, burst, wanted: [mails of each lane]}: so many
-- are granted, to the more urgent lanes first. Who gets none waits in the lane's line, which begins `line_seconds[lane]`
-- from now. Buckets are locked in the order of their names, and the time is read once the lock is held.
CREATE FUNCTION take_tokens(asked jsonb)
RETURNS TABLE (bucket_name text, granted integer, line_seconds double precision[]) LANGUAGE plpgsql AS $$
DECLARE
    one record;
    bucket buckets;
    at timestamptz;
    refused integer;
    used integer;
BEGIN
    FOR one IN
        SELECT a.name, a.rate, a.burst, a.wanted
        FROM jsonb_to_recordset(asked) AS a (name text, rate double precision, burst double precision, wanted integer[])
        ORDER BY a.name
    LOOP
        INSERT INTO buckets VALUES (one.name, one.burst, clock_timestamp(), array_fill(now(), ARRAY[4]))
        ON CONFLICT (name) DO NOTHING;
        SELECT * INTO bucket FROM buckets WHERE buckets.name = one.name FOR UPDATE;
        at := clock_timestamp();
        bucket.tokens := least(
            one.burst, bucket.tokens + one.rate * greatest(0, extract(epoch FROM at - bucket.filled_at))
        );
        bucket_name := one.name;
        granted := least((SELECT sum(w) FROM unnest(one.wanted) AS w), floor(bucket.tokens));
        line_seconds := '{}';
        used := 0;
        FOR lane IN 1 .. cardinality(one.wanted) LOOP
            refused := one.wanted[lane] - least(one.wanted[lane], granted - used);
            used := used + one.wanted[lane] - refused;
            line_seconds[lane] := greatest(0, extract(epoch FROM bucket.lines[lane] - at));
            IF refused > 0 THEN
                bucket.lines[lane] := greatest(bucket.lines[lane], at) + make_interval(secs => refused / one.rate);
            END IF;
        END LOOP;
        UPDATE buckets
        SET tokens = bucket.tokens - granted, filled_at = greatest(filled_at, at), lines = bucket.lines
        WHERE buckets.name = one.name;
        RETURN NEXT;
    END LOOP;
END $$;
