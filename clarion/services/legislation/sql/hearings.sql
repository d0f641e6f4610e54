-- name: claim_aliases!
-- Sorted, so that two replicas with the same hearings wait for one another and never in a circle; the second sees
-- the hearing that the first made.
INSERT INTO hearing_aliases (jurisdiction, alias, hearing_id)
SELECT jurisdiction, alias, hearing_id
FROM unnest(:jurisdictions::text[], :aliases::text[], :hearing_ids::uuid[]) AS claim (jurisdiction, alias, hearing_id)
ORDER BY jurisdiction, alias
ON CONFLICT DO NOTHING

-- name: find_hearings
-- Locked, so that whoever alerts of a hearing next comes after us in the outbox too.
SELECT hearing_aliases.jurisdiction, hearing_aliases.alias, hearings.state
FROM unnest(:jurisdictions::text[], :aliases::text[]) AS wanted (jurisdiction, alias)
JOIN hearing_aliases USING (jurisdiction, alias)
JOIN hearings ON hearings.id = hearing_aliases.hearing_id
ORDER BY hearings.id
FOR UPDATE OF hearings

-- name: insert_hearings!
INSERT INTO hearings (id, jurisdiction, revision, status, state, created_at, updated_at)
SELECT id, jurisdiction, revision, status, state, :now, :now
FROM unnest(:ids::uuid[], :jurisdictions::text[], :revisions::bigint[], :statuses::text[], :states::jsonb[])
    AS made (id, jurisdiction, revision, status, state)

-- name: save_statements!
INSERT INTO statements (hearing_id, source, event_id, body, stated_at, received_at)
SELECT hearing_id, source, event_id, body, stated_at, received_at
FROM unnest(:hearing_ids::uuid[], :sources::text[], :event_ids::text[], :bodies::jsonb[], :stated_ats::timestamptz[],
    :received_ats::timestamptz[]) AS said (hearing_id, source, event_id, body, stated_at, received_at)
ORDER BY hearing_id, source
ON CONFLICT (hearing_id, source) DO UPDATE
SET event_id = excluded.event_id, body = excluded.body, stated_at = excluded.stated_at,
    received_at = excluded.received_at
