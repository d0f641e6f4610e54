-- name: lock_decisions!
-- One decision at a time: a hearing and a position that arrive at once must see one another.
SELECT pg_advisory_xact_lock(hashtextextended('clarion.campaigns.decisions', 0));

-- name: current_position^
SELECT * FROM positions
WHERE jurisdiction = :jurisdiction AND session = :session AND bill_key = :bill_key
ORDER BY version DESC LIMIT 1;

-- name: insert_position!
INSERT INTO positions (jurisdiction, session, bill_key, version, id, subject, bill, stance, ask, why, policy_area, points,
                       letter, statewide, include_non_members, launch, groups, priority, representative_account,
                       representative_name, representative_email, representative_phone, adopted_by, adopted_on,
                       adopted_at, withdrawn, withdrawn_reason)
VALUES (:jurisdiction, :session, :bill_key, :version, :id, :subject, :bill, :stance, :ask, :why, :policy_area, :points,
        :letter, :statewide, :include_non_members, :launch, :groups, :priority, :representative_account,
        :representative_name, :representative_email, :representative_phone, :adopted_by, :adopted_on,
        :adopted_at, :withdrawn, :withdrawn_reason);

-- name: positions_on_agenda
-- What is in force for these, or was withdrawn. A regulation has no session. A ballot measure is on no agenda: public
-- money asks nobody to work for a vote on one.
SELECT DISTINCT ON (bill_key) * FROM positions
WHERE jurisdiction = :jurisdiction AND session IN (:session, '') AND bill_key = ANY (:bill_keys::text[])
  AND subject <> 'measure'
ORDER BY bill_key, version DESC;

-- name: list_positions
-- The newest version of each that fits what is asked for.
SELECT * FROM (
    SELECT DISTINCT ON (jurisdiction, session, bill_key) * FROM positions
    ORDER BY jurisdiction, session, bill_key, version DESC
) AS newest
WHERE (:withdrawn::boolean OR NOT withdrawn)
  AND (:stance::text IS NULL OR (stance = :stance AND NOT withdrawn))
  AND (:subject::text IS NULL OR subject = :subject)
  AND (:session::text IS NULL OR session = :session)
  AND (:priority::text IS NULL OR priority = :priority)
  AND (:policy_area::text IS NULL OR lower(policy_area) = lower(:policy_area))
ORDER BY jurisdiction, session, bill_key;

-- name: position_versions
-- Of the positions on these, newest first within each; each place has the one changed last first.
SELECT * FROM positions
WHERE bill_key = ANY (:bill_keys::text[])
  AND (:session::text IS NULL OR session = :session) AND (:jurisdiction::text IS NULL OR jurisdiction = :jurisdiction)
ORDER BY max(adopted_at) OVER (PARTITION BY jurisdiction, session, bill_key) DESC,
         jurisdiction, session, bill_key, version DESC;

-- name: position_by_id^
-- By the id of any of its versions.
SELECT jurisdiction, session, bill_key FROM positions WHERE id = :id;

-- name: unknown_groups$
SELECT array_agg(wanted.id ORDER BY wanted.id)
FROM unnest(:groups::text[]) AS wanted (id)
WHERE NOT EXISTS (SELECT FROM groups AS g WHERE g.id = wanted.id AND g.active);

-- name: active_groups
SELECT id, name FROM groups WHERE active ORDER BY name, id;

-- name: policy_areas
SELECT DISTINCT policy_area FROM positions WHERE policy_area IS NOT NULL ORDER BY policy_area;

-- name: hearings_of_bill
-- All that were heard of with it on the agenda, the latest first; `ahead` while voices count there.
SELECT h.alert ->> 'starts_at' AS starts_at, h.alert ->> 'time_note' AS time_note,
       h.alert ->> 'zone' AS zone, coalesce(h.alert ->> 'kind', 'hearing') AS kind,
       h.alert -> 'committee' ->> 'name' AS committee, h.id AS hearing, h.alert ->> 'status' AS hearing_status,
       h.ends_at > :now AND h.alert ->> 'status' = 'scheduled' AS ahead, c.id AS campaign, c.status
FROM hearings AS h
JOIN hearing_bills AS b ON b.hearing = h.id AND b.bill_key = :bill_key
LEFT JOIN campaigns AS c ON c.hearing = h.id
WHERE h.jurisdiction = :jurisdiction AND :session IN (h.session, '')
ORDER BY h.ends_at DESC, h.id;

-- name: campaigns_on_bill
-- Those that ask about it or did, with whom they ever reached: what was withdrawn was reached before.
SELECT c.id, c.title, c.status, c.problem, c.held, c.ends_at, c.launched_at, c.divisions, c.cities,
       k.asked, k.reached, k.failed, k.ended
FROM campaigns AS c
JOIN hearings AS h ON h.id = c.hearing
CROSS JOIN LATERAL (
    SELECT count(*) AS asked, count(*) FILTER (WHERE k.reached_revision IS NOT NULL) AS reached,
           count(*) FILTER (WHERE k.reached_revision IS NULL AND k.outcome IN ('failed', 'bounced', 'unknown')) AS failed,
           count(*) FILTER (WHERE k.ended_at IS NOT NULL) AS ended
    FROM calls AS k WHERE k.campaign = c.id
) AS k
WHERE h.jurisdiction = :jurisdiction AND :session IN (h.session, '')
  AND (:bill_key = ANY (c.told_bills)
       OR EXISTS (SELECT FROM hearing_bills AS b WHERE b.hearing = h.id AND b.bill_key = :bill_key))
ORDER BY c.ends_at DESC, c.id;

-- name: representatives_kept
SELECT id, bill, representative_name, representative_email, representative_phone FROM positions
WHERE :alone AND lower(representative_email) = lower(:address) ORDER BY id

-- name: forget_representative
UPDATE positions SET representative_name = NULL, representative_email = NULL, representative_phone = NULL
WHERE :alone AND lower(representative_email) = lower(:address)
RETURNING id
