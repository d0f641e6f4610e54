-- name: current_rules
-- The newest version of each rule of the installation's own; of one place, or of all.
SELECT DISTINCT ON (jurisdiction, chamber, name_key)
       jurisdiction, chamber, name_key, version, committee, aliases, due, at, source, checked_on, note, made_by, made_at
FROM committee_rules
WHERE :jurisdiction::text IS NULL OR jurisdiction = :jurisdiction
ORDER BY jurisdiction, chamber, name_key, version DESC;

-- name: rule_versions
SELECT jurisdiction, chamber, name_key, version, committee, aliases, due, at, source, checked_on, note, made_by, made_at
FROM committee_rules
WHERE jurisdiction = :jurisdiction AND chamber = :chamber AND name_key = :name_key
ORDER BY version DESC;

-- name: insert_rule!
INSERT INTO committee_rules (jurisdiction, chamber, name_key, version, committee, aliases, due, at, source, checked_on,
                             note, made_by, made_at)
VALUES (:jurisdiction, :chamber, :name_key, :version, :committee, :aliases, :due, :at, :source, :checked_on,
        :note, :made_by, :now);

-- name: current_override^
SELECT version, day, due_at, withdrawn, reason, made_by, made_at FROM hearing_overrides
WHERE hearing = :hearing ORDER BY version DESC LIMIT 1;

-- name: insert_override!
INSERT INTO hearing_overrides (hearing, version, day, due_at, withdrawn, reason, made_by, made_at)
VALUES (:hearing, :version, :day, :due_at, :withdrawn, :reason, :made_by, :now);

-- name: occasion_of_campaign^
SELECT h.alert, c.title, c.status FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing WHERE c.id = :campaign;

-- name: occasions_ahead
SELECT alert FROM hearings WHERE jurisdiction = :jurisdiction AND ends_at > :now ORDER BY ends_at, id;

-- name: committees_known
SELECT name, chamber, jurisdiction, name_keys FROM committees WHERE active ORDER BY chamber, name, id;

-- name: campaigns_without_deadline
-- Those ahead whose letters' deadline nobody knows.
SELECT id, title FROM campaigns
WHERE status <> 'closed' AND ends_at > :now AND letters_due_at IS NULL ORDER BY ends_at, id LIMIT :most;
