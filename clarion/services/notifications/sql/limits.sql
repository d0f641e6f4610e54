-- name: open_breakers
SELECT relay, domain, reason, extract(epoch FROM until - clock_timestamp())::float8 AS seconds,
       extract(epoch FROM probe_until - clock_timestamp())::float8 AS probe_seconds
FROM breakers

-- name: trip_breakers!
-- One that is open already was opened by another who learnt the same; one that would not close opens for longer.
INSERT INTO breakers AS b (relay, domain, reason, opened_at, until, tries)
SELECT relay, domain, reason, now(), now() + make_interval(secs => first), 1
FROM jsonb_to_recordset(:rows::jsonb) AS learnt (
    relay text, domain text, reason text, first double precision
)
ORDER BY relay, domain
ON CONFLICT (relay, domain) DO UPDATE
SET until = now() + least((excluded.until - now()) * 2 ^ least(b.tries, 20), make_interval(secs => :limit_seconds)),
    opened_at = now(), probe_until = NULL, reason = excluded.reason, tries = b.tries + 1
WHERE b.until <= now()

-- name: close_breakers!
DELETE FROM breakers AS b
USING jsonb_to_recordset(:rows::jsonb) AS learnt (relay text, domain text)
WHERE b.relay = learnt.relay AND b.domain = learnt.domain

-- name: take_probes
UPDATE breakers AS b
SET probe_until = clock_timestamp() + make_interval(secs => :probe_seconds)
FROM jsonb_to_recordset(:rows::jsonb) AS wanted (relay text, domain text)
WHERE b.relay = wanted.relay AND b.domain = wanted.domain
  AND b.until <= clock_timestamp() AND coalesce(b.probe_until <= clock_timestamp(), true)
RETURNING b.relay, b.domain

-- name: list_breakers
SELECT relay, domain, reason, opened_at, until, tries FROM breakers ORDER BY relay, domain

-- name: save_relays!
INSERT INTO relays (name, state, said, said_at)
SELECT name, state, said, now() FROM jsonb_to_recordset(:rows::jsonb) AS heard (name text, state text, said text)
ORDER BY name
ON CONFLICT (name) DO UPDATE SET state = excluded.state, said = excluded.said, said_at = excluded.said_at

-- name: list_relays
SELECT name, state, said, said_at FROM relays ORDER BY name

-- name: take_tokens
SELECT bucket_name, granted, line_seconds FROM take_tokens(:rows::jsonb)

-- name: suppress
-- The mailbox gets nothing more; the first reason stays.
INSERT INTO suppressions (mailbox, kind, reason, since)
SELECT mailbox, :kind, reason, :now
FROM jsonb_to_recordset(:rows::jsonb) AS bad (mailbox text, reason text)
ORDER BY mailbox
ON CONFLICT (mailbox) DO NOTHING
RETURNING mailbox

-- name: unsuppress
DELETE FROM suppressions WHERE mailbox = ANY(:mailboxes::text[]) RETURNING mailbox, kind, reason, since

-- name: list_suppressions
SELECT s.mailbox, s.kind, s.reason, s.since, o.officials
FROM suppressions AS s
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(id ORDER BY id), '{}') AS officials FROM officials WHERE mailbox = s.mailbox
) AS o
ORDER BY s.since, s.mailbox
LIMIT :room
