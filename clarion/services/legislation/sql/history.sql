-- name: receive_updates
-- An update that was seen before is left alone and not returned.
INSERT INTO history (source, event_id, type, body, stated_at, received_at, outcome, parts)
SELECT source, event_id, type, body::jsonb, stated_at, :received_at, 'received', parts
FROM unnest(:sources::text[], :event_ids::text[], :types::text[], :bodies::text[], :stated_ats::timestamptz[],
    :parts::integer[])
    AS update (source, event_id, type, body, stated_at, parts)
ORDER BY source, event_id
ON CONFLICT DO NOTHING
RETURNING source, event_id

-- name: record_outcomes!
-- The hearings for which a list waits come as words, since a list of lists would be taken for a table.
INSERT INTO history (source, event_id, type, body, stated_at, received_at, outcome, note, hearing_id, waits_for)
SELECT source, event_id, type, body::jsonb, stated_at, received_at, outcome, note, hearing_id,
    string_to_array(waits_for, ' ')::uuid[]
FROM unnest(:sources::text[], :event_ids::text[], :types::text[], :bodies::text[], :stated_ats::timestamptz[],
    :received_ats::timestamptz[], :outcomes::text[], :notes::text[], :hearing_ids::uuid[], :waits_for::text[])
    AS update (source, event_id, type, body, stated_at, received_at, outcome, note, hearing_id, waits_for)
ORDER BY source, event_id
ON CONFLICT (source, event_id) DO UPDATE
SET outcome = excluded.outcome, note = excluded.note, hearing_id = excluded.hearing_id, waits_for = excluded.waits_for

-- name: end_waiting!
-- What waited at these hearings has come to this.
UPDATE history
SET outcome = ended.outcome
FROM unnest(:hearing_ids::uuid[], :outcomes::text[]) AS ended (hearing_id, outcome)
WHERE history.hearing_id = ended.hearing_id AND history.outcome = 'waiting'

-- name: end_waiting_lists!
-- A list has come to something once one of the hearings for which it waits is told, or none of them waits any more.
UPDATE history
SET waits_for = ARRAY(SELECT unnest(waits_for) EXCEPT SELECT unnest(:settled::uuid[])),
    outcome = CASE
        WHEN waits_for && :told::uuid[] THEN 'alerted'
        WHEN waits_for <@ :settled::uuid[] THEN 'unchanged'
        ELSE 'waiting'
    END
WHERE outcome = 'waiting' AND waits_for && :settled::uuid[]

-- name: find_update^
-- What went out in parts has come to the first of these that a part has come to.
WITH first AS (
    SELECT * FROM history WHERE source = :source AND event_id = :event_id
), told AS (
    SELECT 1 AS number, outcome, note FROM first
    UNION ALL
    SELECT p.number, h.outcome, h.note
    FROM first AS f
    CROSS JOIN generate_series(2, f.parts) AS p (number)
    JOIN history AS h ON h.source = f.source AND h.event_id = f.event_id || :part::text || p.number
)
SELECT f.source, f.event_id, f.type, t.outcome, t.note, f.hearing_id, f.received_at, f.stated_at,
       coalesce(f.parts, 1) AS parts
FROM first AS f
CROSS JOIN LATERAL (
    SELECT outcome, note FROM told
    ORDER BY array_position(
        ARRAY['received', 'rejected', 'waiting', 'alerted', 'recorded', 'unchanged', 'outdated'], outcome), number
    LIMIT 1) AS t
