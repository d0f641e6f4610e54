-- name: suppress_each
-- Who is suppressed already stays as they are.
INSERT INTO suppressions (mailbox, kind, reason, since)
SELECT DISTINCT ON (mailbox) mailbox, kind, reason, least(since, :now)
FROM unnest(:mailboxes::text[], :kinds::text[], :reasons::text[], :sinces::timestamptz[])
    WITH ORDINALITY AS given (mailbox, kind, reason, since, place)
ORDER BY mailbox, place
ON CONFLICT (mailbox) DO NOTHING
RETURNING mailbox

-- name: suppressed_of^
SELECT s.mailbox, s.kind, s.reason, s.since FROM suppressions AS s WHERE s.mailbox = :mailbox

-- name: newest_suppressed
SELECT s.mailbox, s.kind, s.reason, s.since, o.names
FROM suppressions AS s
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(o.name ORDER BY o.name), '{}') AS names FROM officials AS o WHERE o.mailbox = s.mailbox
) AS o
ORDER BY s.since DESC, s.mailbox
LIMIT :room

-- name: all_suppressed
SELECT mailbox, kind, reason, since FROM suppressions ORDER BY since, mailbox

-- name: put_back$
INSERT INTO suppressions (mailbox, kind, reason, since) VALUES (:mailbox, :kind, :reason, :since)
ON CONFLICT (mailbox) DO NOTHING
RETURNING mailbox

-- name: divisions_of_mailbox
SELECT DISTINCT city.body ->> 'division' AS division
FROM current_entities AS official
JOIN current_entities AS city ON city.kind = 'city' AND city.id = official.body ->> 'city'
WHERE official.kind = 'official' AND official.body ->> 'mailbox' = :mailbox AND city.body ->> 'division' IS NOT NULL
