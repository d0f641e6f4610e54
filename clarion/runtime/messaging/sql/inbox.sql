-- name: claim_events
-- The events that nobody claimed before; ordered, so that two consumers do not deadlock.
INSERT INTO inbox (topic, source, event_id)
SELECT DISTINCT :topic, source, event_id
FROM unnest(:sources::text[], :event_ids::text[]) AS event (source, event_id)
ORDER BY source, event_id
ON CONFLICT DO NOTHING
RETURNING source, event_id
