-- name: save_bills
-- The newest of each; in one order, so that replicas do not lock one another out.
INSERT INTO bills (jurisdiction, session, bill_key, revision, state)
SELECT DISTINCT ON (jurisdiction, session, bill_key) jurisdiction, session, bill_key, revision, state::jsonb
FROM unnest(:jurisdictions::text[], :sessions::text[], :bill_keys::text[], :revisions::bigint[], :states::text[])
    AS told (jurisdiction, session, bill_key, revision, state)
ORDER BY jurisdiction, session, bill_key, revision DESC
ON CONFLICT (jurisdiction, session, bill_key) DO UPDATE SET revision = excluded.revision, state = excluded.state
WHERE bills.revision < excluded.revision
RETURNING jurisdiction, session, bill_key;

-- name: find_bills
SELECT bills.*
FROM unnest(:jurisdictions::text[], :sessions::text[], :bill_keys::text[]) AS wanted (jurisdiction, session, bill_key)
JOIN bills USING (jurisdiction, session, bill_key);

-- name: bills_of_campaign
-- What became of the bills on its hearing's agenda.
SELECT b.state
FROM campaigns AS c
JOIN hearings AS h ON h.id = c.hearing
JOIN hearing_bills AS on_agenda ON on_agenda.hearing = h.id
JOIN bills AS b ON b.jurisdiction = h.jurisdiction AND b.session = h.session AND b.bill_key = on_agenda.bill_key
WHERE c.id = :campaign
ORDER BY b.bill_key;

-- name: coming_hearings_of_bill
SELECT h.alert ->> 'starts_at' AS starts_at, h.alert ->> 'time_note' AS time_note,
       h.alert -> 'committee' ->> 'name' AS committee, h.id AS hearing, c.id AS campaign, c.status
FROM hearings AS h
JOIN hearing_bills AS b ON b.hearing = h.id AND b.bill_key = :bill_key
LEFT JOIN campaigns AS c ON c.hearing = h.id
WHERE h.jurisdiction = :jurisdiction AND h.session = :session AND h.ends_at > :now
  AND h.alert ->> 'status' = 'scheduled'
ORDER BY h.ends_at, h.id;
