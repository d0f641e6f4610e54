-- name: find_bills
SELECT id::text AS id, state::text AS state FROM bills WHERE id = ANY (:ids::uuid[])

-- name: find_bill_standings
SELECT bill::text AS bill, source, changed_at, arrival, said::text AS said, said_at, sequence
FROM bill_standings
WHERE bill = ANY (:ids::uuid[])

-- name: save_bills!
INSERT INTO bills (id, revision, state, created_at, updated_at)
SELECT id, revision, state::jsonb, :now, :now
FROM unnest(:ids::uuid[], :revisions::bigint[], :states::text[]) AS told (id, revision, state)
ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, state = excluded.state, updated_at = excluded.updated_at

-- name: save_bill_standings!
INSERT INTO bill_standings (bill, source, changed_at, arrival, said, said_at, sequence)
SELECT bill, source, changed_at, arrival, said::jsonb, said_at, sequence
FROM unnest(:bills::uuid[], :sources::text[], :changed_ats::timestamptz[], :arrivals::bigint[], :saids::text[],
    :said_ats::timestamptz[], :sequences::bigint[])
    AS standing (bill, source, changed_at, arrival, said, said_at, sequence)
ON CONFLICT (bill, source) DO UPDATE
SET changed_at = excluded.changed_at, arrival = excluded.arrival, said = excluded.said, said_at = excluded.said_at,
    sequence = excluded.sequence
