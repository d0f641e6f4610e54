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

-- name: coming_hearings_with_bill
SELECT h.id, h.alert FROM hearings AS h JOIN hearing_bills AS b ON b.hearing = h.id
WHERE b.bill_key = :bill_key AND h.jurisdiction = :jurisdiction AND h.session = :session AND h.ends_at > :now
ORDER BY h.ends_at, h.id;

-- name: coming_hearings_not_launched
-- Those with a position on the agenda.
SELECT h.id, h.alert FROM hearings AS h
WHERE h.ends_at > :now
  AND NOT EXISTS (SELECT FROM campaigns AS c WHERE c.hearing = h.id AND c.launched_at IS NOT NULL)
  AND EXISTS (
      SELECT FROM hearing_bills AS b
      JOIN positions AS p ON p.jurisdiction = h.jurisdiction AND p.session = h.session AND p.bill_key = b.bill_key
      WHERE b.hearing = h.id)
ORDER BY h.ends_at, h.id;

-- name: hearings_ended
SELECT h.id, h.alert FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing
WHERE c.status <> 'closed' AND c.ends_at <= :now
ORDER BY c.ends_at, c.id LIMIT 100;

-- name: any_waits_for_directory$
SELECT EXISTS (SELECT FROM campaigns WHERE status = 'waiting' AND waits_for_directory AND ends_at > :now);

-- name: campaign_of_hearing^
SELECT id, revision, status, problem, launched_at, hearing_revision, positions, not_after,
       divisions, cities, officials
FROM campaigns WHERE hearing = :hearing;

-- name: save_campaign!
-- The hearing and the positions it was launched from stay those of the launch.
INSERT INTO campaigns (id, hearing, revision, status, problem, waits_for_directory, title, bills, committee, held,
                       letters_due_at, not_after, ends_at, hearing_revision, positions, message, created_at, changed_at,
                       launched_at, divisions, cities, officials)
VALUES (:id, :hearing, :revision, :status, :problem, :waits_for_directory, :title, :bills, :committee, :held,
        :letters_due_at, :not_after, :ends_at, :hearing_revision, :positions, :message, :now, :now,
        :launched_at, :divisions, :cities, :officials)
ON CONFLICT (hearing) DO UPDATE SET
    revision = excluded.revision, status = excluded.status, problem = excluded.problem,
    waits_for_directory = excluded.waits_for_directory, title = excluded.title,
    bills = excluded.bills, committee = excluded.committee, held = excluded.held,
    letters_due_at = excluded.letters_due_at, not_after = excluded.not_after, ends_at = excluded.ends_at,
    hearing_revision = excluded.hearing_revision, positions = excluded.positions, message = excluded.message,
    changed_at = excluded.changed_at, launched_at = excluded.launched_at, divisions = excluded.divisions,
    cities = excluded.cities, officials = excluded.officials
WHERE campaigns.launched_at IS NULL;

-- name: change_launched_campaign!
UPDATE campaigns SET revision = :revision, status = :status, problem = :problem, changed_at = :now WHERE id = :id;

-- name: clear_plan!
WITH waves_gone AS (DELETE FROM waves WHERE campaign = :campaign)
DELETE FROM campaign_cities WHERE campaign = :campaign;

-- name: plan_cities!
-- Every share counts; weighing only orders the reasons. Cities that are no members are asked about open bills only.
WITH sources AS (
    SELECT * FROM jsonb_to_recordset(:sources::jsonb) AS s (
        kind text, bills text[], open_bills text[], legislator text, name text, role text, rank integer,
        chamber text, district text)
), hits AS (
    SELECT c.id, c.name AS city_name, c.division, s.*, d.share,
           CASE WHEN c.member THEN s.bills ELSE s.open_bills END AS asked_bills
    FROM sources AS s
    JOIN districts ON districts.id = s.district AND districts.active
    JOIN city_districts AS d ON d.district = s.district
    JOIN cities AS c ON c.id = d.city AND c.active
    WHERE s.kind <> 'statewide'
    UNION ALL
    SELECT c.id, c.name, c.division, s.*, NULL, CASE WHEN c.member THEN s.bills ELSE s.open_bills END
    FROM sources AS s CROSS JOIN cities AS c
    WHERE s.kind = 'statewide' AND c.active
)
INSERT INTO campaign_cities (campaign, city, name, division, bills, reasons)
SELECT :campaign, h.id, min(h.city_name), min(h.division),
       (SELECT array_agg(b.bill ORDER BY b.place)
        FROM unnest(:bills::text[]) WITH ORDINALITY AS b (bill, place)
        WHERE EXISTS (SELECT FROM hits AS x WHERE x.id = h.id AND b.bill = ANY (x.asked_bills))),
       jsonb_agg(
           jsonb_build_object(
               'kind', h.kind, 'bills', h.asked_bills, 'legislator', h.legislator, 'name', h.name, 'role', h.role,
               'rank', h.rank, 'chamber', h.chamber, 'district', h.district, 'share', h.share)
           ORDER BY h.rank, h.share DESC NULLS LAST, h.legislator)
FROM hits AS h
WHERE cardinality(h.asked_bills) > 0
GROUP BY h.id;

-- name: plan_waves!
INSERT INTO waves (campaign, division, cities, officials)
SELECT :campaign, coalesce(c.division, ''), count(DISTINCT c.city), count(o.id)
FROM campaign_cities AS c
LEFT JOIN officials AS o ON o.city = c.city AND o.active
    AND (o.testifies OR (:letters_open::boolean AND o.role_keys && :letter_roles::text[]))
WHERE c.campaign = :campaign
GROUP BY coalesce(c.division, '');

-- name: plan_counts^
SELECT count(*) FILTER (WHERE division <> '')::integer AS divisions, coalesce(sum(cities), 0)::integer AS cities,
       coalesce(sum(officials), 0)::integer AS officials
FROM waves WHERE campaign = :campaign;

-- name: plan_jobs!
-- A mailbox is asked once, with the wave of the smallest division among its officials' cities ('' if they have none).
WITH homes AS (
    SELECT o.mailbox, o.bucket, coalesce(min(c.division), '') AS division,
           count(*) FILTER (
               WHERE o.testifies OR (:letters_open::boolean AND o.role_keys && :letter_roles::text[])) AS officials
    FROM campaign_cities AS c
    JOIN officials AS o ON o.city = c.city AND o.active
    WHERE c.campaign = :campaign
    GROUP BY o.mailbox, o.bucket
), sizes AS (
    SELECT division, bucket, sum(officials)::integer AS officials FROM homes GROUP BY division, bucket
)
INSERT INTO fanout_jobs (campaign, division, bucket, officials)
SELECT :campaign, w.division, b.bucket, coalesce(s.officials, 0)
FROM waves AS w
CROSS JOIN generate_series(0, :buckets::integer - 1) AS b (bucket)
LEFT JOIN sizes AS s ON s.division = w.division AND s.bucket = b.bucket
WHERE w.campaign = :campaign;
