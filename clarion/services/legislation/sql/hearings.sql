-- name: lock_jurisdictions!
-- One at a time in a jurisdiction, since any two of its hearings may turn out to be one. In the order of what is locked,
-- so that replicas wait for one another and never in a circle.
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended('legislation ' || jurisdiction, 0) AS key
      FROM unnest(:jurisdictions::text[]) AS jurisdiction
      ORDER BY key) AS keys

-- name: find_aliases
SELECT jurisdiction, alias, hearing_aliases.hearing_id::text AS hearing_id
FROM unnest(:jurisdictions::text[], :aliases::text[]) AS wanted (jurisdiction, alias)
JOIN hearing_aliases USING (jurisdiction, alias)

-- name: find_at_same_start
-- Hearings of that committee at that start with some of the bills, which this source gives no id that lives.
SELECT found.hearing_id
FROM (SELECT DISTINCT jurisdiction, committee, starts, bills, source
      FROM unnest(:jurisdictions::text[], :committees::text[], :starts::text[], :bills::text[], :sources::text[])
          AS notice (jurisdiction, committee, starts, bills, source)) AS said
CROSS JOIN LATERAL (
    SELECT hearings.id::text AS hearing_id
    FROM hearings
    WHERE hearings.jurisdiction = said.jurisdiction AND hearings.committee = said.committee
      AND hearings.starts = said.starts AND hearings.status = 'scheduled'
      AND hearings.bills && string_to_array(said.bills, ' ')
      AND NOT EXISTS (
          SELECT FROM hearing_aliases
          JOIN standings USING (jurisdiction, alias)
          WHERE hearing_aliases.hearing_id = hearings.id AND standings.source = said.source
            AND standings.stand = 'living')
    ORDER BY hearings.id
    LIMIT 20) AS found

-- name: find_missed
-- Hearings that are cancelled or gone from their lists and wait, of that committee and with some of the bills.
SELECT DISTINCT hearings.id::text AS hearing_id
FROM unnest(:jurisdictions::text[], :committees::text[], :bills::text[]) AS said (jurisdiction, committee, bills)
JOIN withdrawals ON withdrawals.jurisdiction = said.jurisdiction AND withdrawals.bill_key = ''
JOIN hearings ON hearings.id = withdrawals.hearing_id AND hearings.committee = said.committee
WHERE hearings.bills && string_to_array(said.bills, ' ')

-- name: find_losing
-- Hearings from which one of these bills is withdrawn and waits.
SELECT DISTINCT withdrawals.hearing_id::text AS hearing_id
FROM unnest(:jurisdictions::text[], :bill_keys::text[]) AS gained (jurisdiction, bill_key)
JOIN withdrawals USING (jurisdiction, bill_key)

-- name: find_hearings
-- The state as text, which is read faster than a document.
SELECT hearings.id::text AS id, (hearings.state - '{changed,counterparts}'::text[])::text AS state, aliases.jurisdiction, aliases.aliases
FROM hearings
JOIN (SELECT hearing_id, min(jurisdiction) AS jurisdiction, array_agg(alias ORDER BY alias) AS aliases
      FROM hearing_aliases
      WHERE hearing_id = ANY (:ids::uuid[])
      GROUP BY hearing_id) AS aliases ON aliases.hearing_id = hearings.id

-- name: find_withdrawals
SELECT hearing_id::text AS hearing_id, bill_key, due_at FROM withdrawals WHERE hearing_id = ANY (:ids::uuid[])

-- name: find_standings
SELECT jurisdiction, alias, source, stand, changed_at, arrival, notice::text AS notice, noticed_at, notice_sequence,
    ended_at, end_sequence
FROM unnest(:jurisdictions::text[], :aliases::text[]) AS wanted (jurisdiction, alias)
JOIN standings USING (jurisdiction, alias)

-- name: find_calendars
SELECT calendars.*
FROM unnest(:sources::text[], :jurisdictions::text[], :committees::text[])
    AS wanted (source, jurisdiction, committee)
JOIN calendars USING (source, jurisdiction, committee)

-- name: save_hearings!
INSERT INTO hearings (id, jurisdiction, revision, status, state, committee, starts, bills, created_at, updated_at)
SELECT id, jurisdiction, revision, status, state::jsonb, committee, starts, string_to_array(bills, ' '), :now, :now
FROM unnest(:ids::uuid[], :jurisdictions::text[], :revisions::bigint[], :statuses::text[], :states::text[],
    :committees::text[], :starts::text[], :bills::text[])
    AS made (id, jurisdiction, revision, status, state, committee, starts, bills)
ON CONFLICT (id) DO UPDATE
SET revision = excluded.revision, status = excluded.status, state = excluded.state, committee = excluded.committee,
    starts = excluded.starts, bills = excluded.bills, updated_at = excluded.updated_at

-- name: save_aliases!
INSERT INTO hearing_aliases (jurisdiction, alias, hearing_id)
SELECT jurisdiction, alias, hearing_id
FROM unnest(:jurisdictions::text[], :aliases::text[], :hearing_ids::uuid[]) AS given (jurisdiction, alias, hearing_id)

-- name: save_standings!
INSERT INTO standings (jurisdiction, alias, source, stand, changed_at, arrival, notice, noticed_at, notice_sequence,
    ended_at, end_sequence)
SELECT jurisdiction, alias, source, stand, changed_at, arrival, notice::jsonb, noticed_at, notice_sequence,
    ended_at, end_sequence
FROM unnest(:jurisdictions::text[], :aliases::text[], :sources::text[], :stands::text[], :changed_ats::timestamptz[],
    :arrivals::bigint[], :notices::text[], :noticed_ats::timestamptz[], :notice_sequences::bigint[],
    :ended_ats::timestamptz[], :end_sequences::bigint[])
    AS said (jurisdiction, alias, source, stand, changed_at, arrival, notice, noticed_at, notice_sequence,
        ended_at, end_sequence)
ON CONFLICT (jurisdiction, alias, source) DO UPDATE
SET stand = excluded.stand, changed_at = excluded.changed_at, arrival = excluded.arrival, notice = excluded.notice,
    noticed_at = excluded.noticed_at, notice_sequence = excluded.notice_sequence, ended_at = excluded.ended_at,
    end_sequence = excluded.end_sequence

-- name: save_calendars!
-- The ids come as objects, since a list of lists would be taken for a table.
INSERT INTO calendars (source, jurisdiction, committee, aliases, stated_at)
SELECT source, jurisdiction, committee, ARRAY(SELECT jsonb_array_elements_text(aliases -> 'ids')), stated_at
FROM unnest(:sources::text[], :jurisdictions::text[], :committees::text[], :aliases::jsonb[], :stated_ats::timestamptz[])
    AS listed (source, jurisdiction, committee, aliases, stated_at)
ON CONFLICT (source, jurisdiction, committee) DO UPDATE
SET aliases = excluded.aliases, stated_at = excluded.stated_at

-- name: clear_withdrawals!
DELETE FROM withdrawals WHERE hearing_id = ANY (:hearing_ids::uuid[])

-- name: save_withdrawals!
INSERT INTO withdrawals (hearing_id, bill_key, jurisdiction, due_at)
SELECT hearing_id, bill_key, jurisdiction, due_at
FROM unnest(:hearing_ids::uuid[], :bill_keys::text[], :jurisdictions::text[], :due_ats::timestamptz[])
    AS waits (hearing_id, bill_key, jurisdiction, due_at)

-- name: find_jurisdictions_due
SELECT jurisdiction FROM withdrawals WHERE due_at <= :now
UNION
SELECT jurisdiction FROM held WHERE due_at <= :now

-- name: find_due
SELECT hearing_id::text AS hearing_id
FROM (SELECT hearing_id, jurisdiction, due_at FROM withdrawals
      UNION ALL SELECT hearing_id, jurisdiction, due_at FROM held) AS waits
WHERE due_at <= :now AND jurisdiction = ANY (:jurisdictions::text[])
GROUP BY hearing_id
LIMIT :most
