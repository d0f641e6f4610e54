-- name: standings_of
-- Where these bills stand.
SELECT b.bill_key, b.state ->> 'bill' AS bill, b.state ->> 'status' AS status,
       (b.state ->> 'amended_on')::date AS amended_on, b.state -> 'committee' AS committee
FROM bills AS b
WHERE b.jurisdiction = :jurisdiction AND b.session = :session AND b.bill_key = ANY (:bill_keys::text[]);

-- name: last_campaigns
-- For each of these bills the newest campaign that asked about it, at another occasion than this one and launched before
-- this one's was begun; over is one whose agenda the bill has left, too.
SELECT last.bill_key, c.id AS campaign, c.launched_at, h.alert ->> 'zone' AS zone, h.alert -> 'committee' AS committee,
       c.status = 'closed' OR c.ends_at <= :now
           OR NOT EXISTS (SELECT FROM hearing_bills AS b WHERE b.hearing = h.id AND b.bill_key = last.bill_key) AS is_over
FROM (
    SELECT DISTINCT ON (key.bill_key) key.bill_key, c.id
    FROM campaigns AS c
    JOIN hearings AS h
        ON h.id = c.hearing AND h.jurisdiction = :jurisdiction AND h.session = :session AND h.id <> :hearing
    CROSS JOIN LATERAL unnest(c.told_bills) AS key (bill_key)
    WHERE c.told_bills && :bill_keys::text[] AND key.bill_key = ANY (:bill_keys::text[])
      AND c.launched_at <= coalesce((SELECT own.created_at FROM campaigns AS own WHERE own.hearing = :hearing), 'infinity')
    ORDER BY key.bill_key, c.ends_at DESC, c.id
) AS last
JOIN campaigns AS c ON c.id = last.id
JOIN hearings AS h ON h.id = c.hearing;

-- name: any_hearing_ahead$
-- Whether the bill is on the agenda of a hearing ahead that has a campaign, other than the one it comes from.
SELECT EXISTS (
    SELECT FROM hearing_bills AS b
    JOIN hearings AS h ON h.id = b.hearing AND h.jurisdiction = :jurisdiction AND h.session = :session
    JOIN campaigns AS c ON c.hearing = h.id AND c.ends_at > :now AND c.id <> :follows
    WHERE b.bill_key = :bill_key AND h.alert ->> 'status' = 'scheduled'
      AND coalesce(h.alert ->> 'kind', 'hearing') = 'hearing');

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
-- Those that wait, while the position on the bill asks for something.
SELECT f.id, f.bill, f.follows, c.title AS last_title, f.committee ->> 'name' AS committee, f.amended_on, f.drafted_at,
       f.changed_at
FROM follow_ups AS f LEFT JOIN campaigns AS c ON c.id = f.follows
WHERE f.state = 'waiting' AND (:id::text IS NULL OR f.id = :id)
  AND coalesce((
      SELECT p.stance <> 'watch' FROM positions AS p
      WHERE p.jurisdiction = f.jurisdiction AND p.session = f.session AND p.bill_key = f.bill_key
      ORDER BY p.version DESC LIMIT 1), false)
ORDER BY f.drafted_at, f.id;

-- name: reached_before
-- Who was reached by the campaigns that this one follows, for what they were asked there.
SELECT DISTINCT ON (k.official) k.official, k.campaign, k.letter OR k.phone AS asked_to_write,
       k.testimony AS asked_to_testify, k.outcome_at AS reached_at
FROM followed AS f JOIN calls AS k ON k.campaign = f.follows AND k.reached_revision IS NOT NULL
WHERE f.campaign = :campaign
ORDER BY k.official, k.outcome_at DESC;

-- name: bills_called_about
-- Those of these bills about which a campaign asks or asked.
SELECT DISTINCT w.jurisdiction, w.session, w.bill_key
FROM unnest(:jurisdictions::text[], :sessions::text[], :bill_keys::text[]) AS w (jurisdiction, session, bill_key)
WHERE EXISTS (
        SELECT FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing
        WHERE c.told_bills && ARRAY[w.bill_key] AND h.jurisdiction = w.jurisdiction AND h.session = w.session)
   OR EXISTS (
        SELECT FROM hearing_bills AS b JOIN hearings AS h ON h.id = b.hearing JOIN campaigns AS c ON c.hearing = h.id
        WHERE b.bill_key = w.bill_key AND h.jurisdiction = w.jurisdiction AND h.session = w.session)
ORDER BY 1, 2, 3;

-- name: occasions_ahead_with
-- The occasions ahead with one of these bills that have a campaign.
SELECT h.id, h.alert FROM hearings AS h
WHERE h.ends_at > :now AND EXISTS (SELECT FROM campaigns AS c WHERE c.hearing = h.id)
  AND EXISTS (
      SELECT FROM hearing_bills AS b
      JOIN unnest(:jurisdictions::text[], :sessions::text[], :bill_keys::text[]) AS w (jurisdiction, session, bill_key)
          ON w.bill_key = b.bill_key
      WHERE b.hearing = h.id AND w.jurisdiction = h.jurisdiction AND w.session = h.session)
ORDER BY h.ends_at, h.id;

-- name: any_asking$
-- Whether the newest version of the position on a bill asks anything.
SELECT coalesce((
    SELECT stance <> 'watch' FROM positions
    WHERE jurisdiction = :jurisdiction AND session = :session AND bill_key = :bill_key
    ORDER BY version DESC LIMIT 1), false);

-- name: carry_choices!
INSERT INTO choices (campaign, official, included, asks, reason, chosen_by, chosen_at)
SELECT DISTINCT ON (official) :campaign, official, included, asks, reason, chosen_by, chosen_at
FROM choices WHERE campaign = ANY (:follows::text[])
ORDER BY official, chosen_at DESC
ON CONFLICT DO NOTHING;

-- name: carry_paragraphs!
INSERT INTO approvals (campaign, division, state, revision, since, paragraph)
SELECT DISTINCT ON (a.division) :campaign, a.division, CASE WHEN :launch::text = 'auto' THEN 'approved' ELSE 'waiting' END,
       0, :now, a.paragraph
FROM approvals AS a JOIN campaigns AS c ON c.id = a.campaign
WHERE a.campaign = ANY (:follows::text[]) AND a.paragraph IS NOT NULL AND a.division <> '*'
ORDER BY a.division, c.ends_at DESC
ON CONFLICT DO NOTHING;
