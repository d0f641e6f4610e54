-- name: save_hearing$
INSERT INTO hearings (id, revision, jurisdiction, session, ends_at, alert)
VALUES (:id, :revision, :jurisdiction, :session, :ends_at, :alert)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision, jurisdiction = excluded.jurisdiction, session = excluded.session,
    ends_at = excluded.ends_at, alert = excluded.alert
WHERE hearings.revision < excluded.revision
RETURNING true;

-- name: replace_agenda!
WITH gone AS (
    DELETE FROM hearing_bills WHERE hearing = :hearing AND bill_key <> ALL (:bill_keys::text[])
)
INSERT INTO hearing_bills (hearing, bill_key)
SELECT DISTINCT :hearing, key FROM unnest(:bill_keys::text[]) AS key
ON CONFLICT DO NOTHING;

-- name: hearings_ended
SELECT h.id, h.alert FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing
WHERE c.status <> 'closed' AND c.ends_at <= :now
ORDER BY c.ends_at, c.id LIMIT 100;

-- name: any_letters_expired$
SELECT EXISTS (
    SELECT FROM campaigns
    WHERE letters_expired AND letters_due_at <= :now AND status = 'launched' AND ends_at > :now);

-- name: reconsider_expired!
-- Those whose letters are closed now, and that have asks for letters which expired unsent.
UPDATE campaigns SET reconsider = true, letters_expired = false
WHERE letters_expired AND letters_due_at <= :now AND status = 'launched' AND ends_at > :now;

-- name: campaign_of_hearing^
SELECT id, revision, status, problem, launched_at, hearing_revision, positions, not_after,
       divisions, cities, officials, committee, waits_for_directory, told_revision, facts_revision, told_until,
       told_bills, message, launch, approved_bills, due,
       ARRAY(SELECT a.division FROM approvals AS a WHERE a.campaign = campaigns.id AND a.state = 'approved') AS approved
FROM campaigns WHERE hearing = :hearing
FOR NO KEY UPDATE;

-- name: save_campaign!
-- Until the launch; from then on it is amended.
INSERT INTO campaigns (id, hearing, revision, status, problem, waits_for_directory, title, bills, committee, held,
                       letters_due_at, not_after, ends_at, hearing_revision, positions, message, created_at, changed_at,
                       launched_at, divisions, cities, officials, told_revision, facts_revision, told_until, told_bills,
                       launch, due)
VALUES (:id, :hearing, :revision, :status, :problem, :waits_for_directory, :title, :bills, :committee, :held,
        :letters_due_at, :not_after, :ends_at, :hearing_revision, :positions, :message, :now, :now,
        :launched_at, :divisions, :cities, :officials, :told_revision, :facts_revision, :told_until, :told_bills,
        :launch, :due)
ON CONFLICT (hearing) DO UPDATE SET
    revision = excluded.revision, status = excluded.status, problem = excluded.problem,
    waits_for_directory = excluded.waits_for_directory, title = excluded.title,
    bills = excluded.bills, committee = excluded.committee, held = excluded.held,
    letters_due_at = excluded.letters_due_at, not_after = excluded.not_after, ends_at = excluded.ends_at,
    hearing_revision = excluded.hearing_revision, positions = excluded.positions, message = excluded.message,
    changed_at = excluded.changed_at, launched_at = excluded.launched_at, divisions = excluded.divisions,
    cities = excluded.cities, officials = excluded.officials, told_revision = excluded.told_revision,
    facts_revision = excluded.facts_revision, told_until = excluded.told_until, told_bills = excluded.told_bills,
    launch = excluded.launch, due = excluded.due
WHERE campaigns.launched_at IS NULL;

-- name: amend_campaign!
UPDATE campaigns SET
    revision = :revision, status = :status, problem = :problem, waits_for_directory = :waits_for_directory,
    title = :title, bills = :bills, committee = :committee, held = :held, letters_due_at = :letters_due_at,
    not_after = :not_after, ends_at = :ends_at, hearing_revision = :hearing_revision, positions = :positions,
    message = :message, changed_at = :now, divisions = :divisions, cities = :cities, officials = :officials,
    told_revision = :told_revision, facts_revision = :facts_revision, told_until = :told_until,
    told_bills = :told_bills, due = :due
WHERE id = :id;

-- name: insert_told!
INSERT INTO told (campaign, revision, told_at, changed, facts)
VALUES (:campaign, :revision, :now, :changed, :facts);

-- name: threads_due^
-- Whether anything is to be told beside the facts: `again` if someone who was told the newest revision needs a newer one.
-- Who left the directory is not told that it ended. Whose newest mail expired before letters were closed is asked again
-- for what still helps: only asks for letters expire while the hearing is ahead.
WITH expired AS (
    SELECT DISTINCT mailbox, outcome_revision AS revision FROM calls
    WHERE :calling::boolean AND NOT :letters_open::boolean
      AND campaign = :campaign AND outcome = 'expired' AND ended_at IS NULL
), boxes AS (
    SELECT bucket, mailbox, bool_or(is_new) AS gained, bool_or(differs) AS differs
    FROM people_of_campaign(:campaign::text, :calling::boolean, :letters_open::boolean, :heard::boolean,
                            :letter_roles::text[], NULL, '', '', true)
    GROUP BY bucket, mailbox
), needs AS (
    SELECT t.revision, t.standing, b.mailbox IS NULL AS ends, t.mailbox IS NULL AS fresh,
           coalesce(b.gained, false) OR e.mailbox IS NOT NULL AS gained, coalesce(b.differs, false) AS differs,
           b.mailbox IS NULL AND NOT EXISTS (
               SELECT FROM calls AS k JOIN officials AS o ON o.id = k.official AND o.active
               WHERE k.campaign = :campaign AND k.mailbox = t.mailbox AND k.ended_at IS NULL) AS left_all
    FROM boxes AS b
    FULL JOIN (SELECT * FROM threads WHERE campaign = :campaign) AS t USING (bucket, mailbox)
    LEFT JOIN expired AS e ON e.mailbox = t.mailbox AND e.revision = t.revision
)
SELECT coalesce(bool_or(fresh OR (ends AND standing) OR (NOT ends AND (NOT standing OR gained OR differs))), false) AS due,
       coalesce(bool_or(revision = :told AND CASE
           WHEN ends THEN standing AND NOT left_all ELSE NOT standing OR gained END), false) AS again
FROM needs;

-- name: any_unheard$
-- Whether a hearing to which a bill went has not been heard of with that bill.
SELECT EXISTS (
    SELECT FROM unnest(:hearings::text[], :bill_keys::text[]) AS d (hearing, bill_key)
    WHERE NOT EXISTS (SELECT FROM hearing_bills AS b WHERE b.hearing = d.hearing AND b.bill_key = d.bill_key));

-- name: release_jobs!
UPDATE fanout_jobs AS j SET due_at = NULL FROM campaigns AS c
WHERE c.hearing = ANY (:hearings::text[]) AND j.campaign = c.id AND j.due_at IS NOT NULL;

-- name: clear_plan!
WITH waves_gone AS (DELETE FROM waves WHERE campaign = :campaign)
DELETE FROM campaign_cities WHERE campaign = :campaign;

-- name: plan_cities!
-- Every share counts; weighing only orders the reasons. Cities that are no members are asked about open bills only.
WITH sources AS (
    SELECT * FROM jsonb_to_recordset(:sources::jsonb) AS s (
        kind text, bills text[], open_bills text[], legislator text, name text, role text, rank integer,
        chamber text, district text, "group" text)
), hits AS (
    SELECT c.id, c.name AS city_name, c.division, s.kind, s.rank, s.legislator, s.name, s.role, s.chamber, s.district,
           s."group", d.share, CASE WHEN c.member THEN s.bills ELSE s.open_bills END AS asked_bills
    FROM sources AS s
    JOIN districts ON districts.id = s.district AND districts.active
    JOIN city_districts AS d ON d.district = s.district
    JOIN cities AS c ON c.id = d.city AND c.active
    UNION ALL
    SELECT c.id, c.name, c.division, s.kind, s.rank, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           CASE WHEN c.member THEN s.bills ELSE s.open_bills END
    FROM sources AS s CROSS JOIN cities AS c
    WHERE s.kind = 'statewide' AND c.active
    UNION ALL
    SELECT c.id, c.name, c.division, s.kind, s.rank, NULL, g.name, m.role_key, NULL, NULL, g.id, NULL,
           CASE WHEN c.member THEN s.bills ELSE s.open_bills END
    FROM sources AS s
    JOIN groups AS g ON s.kind = 'group' AND g.id = s."group" AND g.active
    JOIN memberships AS m ON m.group_id = g.id AND m.member_kind = 'city'
        AND (m.since IS NULL OR m.since <= :today::date) AND (m.until IS NULL OR m.until >= :today::date)
    JOIN cities AS c ON c.id = m.member AND c.active
)
INSERT INTO campaign_cities (campaign, city, name, division, bills, reasons)
SELECT :campaign, h.id, min(h.city_name), min(h.division),
       (SELECT array_agg(b.bill ORDER BY b.place)
        FROM unnest(:bills::text[]) WITH ORDINALITY AS b (bill, place)
        WHERE EXISTS (SELECT FROM hits AS x WHERE x.id = h.id AND b.bill = ANY (x.asked_bills))),
       jsonb_agg(
           jsonb_build_object(
               'kind', h.kind, 'bills', h.asked_bills, 'legislator', h.legislator, 'name', h.name, 'role', h.role,
               'rank', h.rank, 'chamber', h.chamber, 'district', h.district, 'share', h.share, 'group', h."group")
           ORDER BY h.rank, h.share DESC NULLS LAST, h.legislator)
FROM hits AS h
WHERE cardinality(h.asked_bills) > 0
GROUP BY h.id;

-- name: plan_waves!
-- Officials of whole cities are counted by their roles, be they a hundred or a million. One by one only those are looked at
-- whom somebody chose, or who belong to the audience as persons; they are not counted with their cities.
WITH singled AS MATERIALIZED (
    SELECT official FROM campaign_people WHERE campaign = :campaign
    UNION
    SELECT official FROM choices WHERE campaign = :campaign
), counted AS (
    SELECT c.division, h.officials
    FROM campaign_cities AS c JOIN headcounts AS h ON h.city = c.city
    WHERE c.campaign = :campaign AND c.whole
      AND (:letter_roles::text[] IS NULL OR h.role_keys && :letter_roles OR (:heard::boolean AND h.testifies))
    UNION ALL
    SELECT c.division, -1
    FROM singled AS s
    JOIN officials AS o ON o.id = s.official AND o.active
    JOIN campaign_cities AS c ON c.campaign = :campaign AND c.city = o.city AND c.whole
    WHERE :letter_roles::text[] IS NULL OR o.role_keys && :letter_roles OR (:heard::boolean AND o.testifies)
    UNION ALL
    SELECT a.division, 1
    FROM audience_of(:campaign::text, :heard::boolean, :letter_roles::text[]) AS a
    WHERE a.official IN (SELECT official FROM singled) AND (a.writes OR a.speaks)
), sizes AS (
    SELECT coalesce(division, '') AS division, sum(officials) AS officials FROM counted
    GROUP BY coalesce(division, '')
), places AS (
    SELECT coalesce(division, '') AS division, count(*) AS cities FROM campaign_cities
    WHERE campaign = :campaign
    GROUP BY coalesce(division, '')
)
INSERT INTO waves (campaign, division, cities, officials)
SELECT :campaign, division, p.cities, coalesce(s.officials, 0)
FROM places AS p LEFT JOIN sizes AS s USING (division);

-- name: plan_counts^
SELECT count(*) FILTER (WHERE division <> '')::integer AS divisions, coalesce(sum(cities), 0)::integer AS cities,
       coalesce(sum(officials), 0)::integer AS officials
FROM waves WHERE campaign = :campaign;

-- name: plan_jobs!
-- A mailbox is asked once, with the wave of the smallest division among its officials' cities ('' if they have none); how
-- many officials a job has need only be about right, so each counts for its own city's, spread evenly over the buckets as
-- mailboxes are. Waves that are no more, or were stopped, end what they told.
WITH told AS (
    SELECT division, bucket, count(*)::integer AS mailboxes FROM threads WHERE campaign = :campaign
    GROUP BY division, bucket
), open AS (
    SELECT DISTINCT coalesce(division, '') AS division FROM campaign_cities WHERE campaign = :campaign AND open
), places (division, bucket, officials) AS (
    SELECT o.division, b.bucket, ceil(w.officials / :buckets::float)::integer
    FROM open AS o
    JOIN waves AS w ON w.campaign = :campaign AND w.division = o.division
    CROSS JOIN generate_series(0, :buckets::integer - 1) AS b (bucket)
    UNION ALL
    SELECT j.division, j.bucket, 0 FROM fanout_jobs AS j
    WHERE j.campaign = :campaign AND j.division NOT IN (SELECT division FROM open)
)
INSERT INTO fanout_jobs (campaign, division, bucket, officials, due_at)
SELECT :campaign, p.division, p.bucket, greatest(p.officials, t.mailboxes), :due_at
FROM places AS p
LEFT JOIN told AS t ON t.division = p.division AND t.bucket = p.bucket
ON CONFLICT (campaign, bucket, division) DO UPDATE SET
    officials = excluded.officials, done_at = NULL, due_at = excluded.due_at, reached = excluded.reached;
