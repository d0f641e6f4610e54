-- name: lock_decisions!
-- One decision at a time: a hearing and a position that arrive at once must see one another.
SELECT pg_advisory_xact_lock(hashtextextended('clarion.campaigns.decisions', 0));

-- name: current_position^
SELECT * FROM positions
WHERE jurisdiction = :jurisdiction AND session = :session AND bill_key = :bill_key
ORDER BY version DESC LIMIT 1;

-- name: insert_position!
INSERT INTO positions (jurisdiction, session, bill_key, version, id, bill, stance, ask, why, policy_area, points, letter,
                       statewide, include_non_members, launch, adopted_at)
VALUES (:jurisdiction, :session, :bill_key, :version, :id, :bill, :stance, :ask, :why, :policy_area, :points, :letter,
        :statewide, :include_non_members, :launch, :adopted_at);

-- name: positions_on_agenda
SELECT DISTINCT ON (bill_key) * FROM positions
WHERE jurisdiction = :jurisdiction AND session = :session AND bill_key = ANY (:bill_keys::text[])
ORDER BY bill_key, version DESC;

-- name: list_positions
SELECT DISTINCT ON (jurisdiction, session, bill_key) * FROM positions
ORDER BY jurisdiction, session, bill_key, version DESC;

-- name: position_versions
SELECT * FROM positions
WHERE bill_key = :bill_key
  AND (:session::text IS NULL OR session = :session) AND (:jurisdiction::text IS NULL OR jurisdiction = :jurisdiction)
ORDER BY jurisdiction, session, version DESC;
