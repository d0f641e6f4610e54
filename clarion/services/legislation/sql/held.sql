-- name: find_ahead
-- Hearings ahead of that committee with some of the bills.
SELECT found.hearing_id
FROM (SELECT DISTINCT jurisdiction, committee, bills
      FROM unnest(:jurisdictions::text[], :committees::text[], :bills::text[])
          AS notice (jurisdiction, committee, bills)) AS said
CROSS JOIN LATERAL (
    SELECT hearings.id::text AS hearing_id
    FROM hearings
    WHERE hearings.jurisdiction = said.jurisdiction AND hearings.committee = said.committee
      AND hearings.starts >= :since AND hearings.status = 'scheduled'
      AND hearings.bills && string_to_array(said.bills, ' ')
    ORDER BY hearings.starts
    LIMIT 20) AS found

-- name: find_held
-- Those with one of these ids, those of these committees at these starts, and those of these with some of the bills.
SELECT hearing_id::text AS id, jurisdiction, aliases, due_at
FROM held
WHERE (aliases && :aliases::text[] OR starts IS NULL) AND jurisdiction = ANY (:of_jurisdictions::text[])
UNION
SELECT hearing_id::text, held.jurisdiction, held.aliases, held.due_at
FROM unnest(:start_jurisdictions::text[], :start_committees::text[], :starts::text[])
    AS wanted (jurisdiction, committee, starts)
JOIN held USING (jurisdiction, committee, starts)
UNION
SELECT hearing_id::text, held.jurisdiction, held.aliases, held.due_at
FROM unnest(:jurisdictions::text[], :committees::text[], :bills::text[]) AS wanted (jurisdiction, committee, bills)
JOIN held USING (jurisdiction, committee)
WHERE held.bills && string_to_array(wanted.bills, ' ')

-- name: find_held_by_id
SELECT hearing_id::text AS id, jurisdiction, aliases, due_at FROM held WHERE hearing_id = ANY (:ids::uuid[])

-- name: save_held!
INSERT INTO held (hearing_id, jurisdiction, aliases, committee, starts, bills, due_at)
SELECT hearing_id, jurisdiction, ARRAY(SELECT jsonb_array_elements_text(aliases -> 'ids')), committee, starts,
    string_to_array(bills, ' '), due_at
FROM unnest(:hearing_ids::uuid[], :jurisdictions::text[], :aliases::jsonb[], :committees::text[], :starts::text[],
    :bills::text[], :due_ats::timestamptz[])
    AS waits (hearing_id, jurisdiction, aliases, committee, starts, bills, due_at)
ON CONFLICT (hearing_id) DO UPDATE
SET aliases = excluded.aliases, committee = excluded.committee, starts = excluded.starts, bills = excluded.bills

-- name: clear_held!
DELETE FROM held WHERE hearing_id = ANY (:hearing_ids::uuid[])

-- name: join_history!
-- What was held back proved to be another hearing.
UPDATE history
SET hearing_id = joined.hearing_id,
    outcome = CASE WHEN history.outcome = 'waiting' THEN joined.outcome ELSE history.outcome END
FROM unnest(:held_ids::uuid[], :hearing_ids::uuid[], :outcomes::text[]) AS joined (held_id, hearing_id, outcome)
WHERE history.hearing_id = joined.held_id
