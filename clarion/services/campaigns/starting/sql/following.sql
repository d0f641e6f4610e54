-- name: standings_of
-- Where these bills stand.
SELECT b.bill_key, b.state ->> 'bill' AS bill, b.state ->> 'status' AS status,
       (b.state ->> 'amended_on')::date AS amended_on, b.state -> 'committee' AS committee
FROM bills AS b
WHERE b.jurisdiction = :jurisdiction AND b.session = :session AND b.bill_key = ANY (:bill_keys::text[]);

-- name: last_campaigns
-- For each of these bills the newest launched campaign that asked about it, at another occasion than this one.
SELECT DISTINCT ON (b.bill_key) b.bill_key, c.id AS campaign, c.launched_at, h.alert ->> 'zone' AS zone,
       h.alert -> 'committee' AS committee, c.status = 'closed' OR c.ends_at <= :now AS is_over
FROM hearing_bills AS b
JOIN hearings AS h ON h.id = b.hearing AND h.jurisdiction = :jurisdiction AND h.session = :session
JOIN campaigns AS c ON c.hearing = h.id AND c.launched_at IS NOT NULL AND b.bill_key = ANY (c.told_bills)
WHERE b.bill_key = ANY (:bill_keys::text[]) AND h.id <> :hearing
ORDER BY b.bill_key, c.ends_at DESC, c.id;

-- name: any_occasion_ahead$
-- Whether the bill is on the agenda of an occasion ahead that has a campaign, other than the one it comes from.
SELECT EXISTS (
    SELECT FROM hearing_bills AS b
    JOIN hearings AS h ON h.id = b.hearing AND h.jurisdiction = :jurisdiction AND h.session = :session
    JOIN campaigns AS c ON c.hearing = h.id AND c.ends_at > :now AND c.id <> :follows
    WHERE b.bill_key = :bill_key AND h.alert ->> 'status' = 'scheduled');

-- name: draft_follow_up!
INSERT INTO follow_ups (id, jurisdiction, session, bill_key, bill, follows, committee, amended_on, state, drafted_at, changed_at)
VALUES (:id, :jurisdiction, :session, :bill_key, :bill, :follows, :committee, :amended_on, 'waiting', :now, :now)
ON CONFLICT (jurisdiction, session, bill_key) WHERE state = 'waiting' DO UPDATE SET
    follows = excluded.follows, committee = excluded.committee, amended_on = excluded.amended_on,
    changed_at = excluded.changed_at
WHERE (follow_ups.follows, follow_ups.committee, follow_ups.amended_on)
      IS DISTINCT FROM (excluded.follows, excluded.committee, excluded.amended_on);

-- name: drop_follow_up!
UPDATE follow_ups SET state = 'dropped', dropped_reason = :reason, changed_at = :now
WHERE jurisdiction = :jurisdiction AND session = :session AND bill_key = :bill_key AND state = 'waiting';

-- name: waiting_follow_ups
SELECT id, follows FROM follow_ups
WHERE jurisdiction = :jurisdiction AND session = :session AND bill_key = ANY (:bill_keys::text[]) AND state = 'waiting'
ORDER BY drafted_at, id;

-- name: set_follow_ups!
UPDATE follow_ups SET state = 'set', campaign = :campaign, changed_at = :now WHERE id = ANY (:ids::text[]);

-- name: follow_campaigns!
INSERT INTO followed (campaign, follows, at) SELECT :campaign, unnest(:follows::text[]), :now ON CONFLICT DO NOTHING;

-- name: list_follow_ups
SELECT f.id, f.bill, f.follows, c.title AS last_title, f.committee ->> 'name' AS committee, f.amended_on, f.drafted_at,
       f.changed_at
FROM follow_ups AS f LEFT JOIN campaigns AS c ON c.id = f.follows
WHERE f.state = 'waiting' AND (:id::text IS NULL OR f.id = :id)
ORDER BY f.drafted_at, f.id;

-- name: reached_before
-- Who was reached by the campaigns that this one follows, for what they were asked there.
SELECT DISTINCT ON (k.official) k.official, k.campaign, k.letter, k.testimony, k.outcome_at AS reached_at
FROM followed AS f JOIN calls AS k ON k.campaign = f.follows AND k.reached_revision IS NOT NULL
WHERE f.campaign = :campaign
ORDER BY k.official, k.outcome_at DESC;
