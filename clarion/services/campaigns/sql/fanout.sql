-- name: plan_afresh!
-- A plan made while the tables were empty would be kept for the whole of a large fan-out.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: claim_jobs
-- The waves of one bucket stand together, so that its officials are read once.
SELECT j.campaign, j.division, j.bucket, j.officials
FROM fanout_jobs AS j JOIN campaigns AS c ON c.id = j.campaign
WHERE j.done_at IS NULL AND c.status = 'launched' AND c.ends_at > :now
ORDER BY j.campaign, j.bucket, j.division
LIMIT :most
FOR UPDATE OF j SKIP LOCKED;

-- name: campaign_message^
SELECT c.id, c.message, c.letters_due_at, c.ends_at, h.jurisdiction
FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing
WHERE c.id = :campaign;

-- name: cities_of_campaign
SELECT city, name, bills, reasons FROM campaign_cities WHERE campaign = :campaign;

-- name: divisions_by_slug
SELECT id AS slug, name, manager_name, manager_email, manager_phone FROM divisions
WHERE id = ANY (:slugs::text[]) AND active;

-- name: insert_calls
-- Whoever was called stays called, and a mailbox that was asked is not asked again.
WITH jobs AS (
    SELECT * FROM unnest(:divisions::text[], :buckets::smallint[]) AS j (division, bucket)
), asked AS (
    SELECT o.id, o.city, o.mailbox, o.bucket, o.testifies, coalesce(c.division, '') AS division,
           :letters_open::boolean AND o.role_keys && :letter_roles::text[] AS letter,
           coalesce(min(c.division) OVER (PARTITION BY o.mailbox), '') AS home
    FROM campaign_cities AS c
    JOIN officials AS o ON o.city = c.city AND o.bucket = ANY (:buckets::smallint[])
    WHERE c.campaign = :campaign AND o.active
), new AS (
    SELECT a.* FROM asked AS a
    JOIN jobs AS j ON j.division = a.home AND j.bucket = a.bucket
    WHERE (a.letter OR a.testifies)
      AND NOT EXISTS (SELECT FROM calls AS k WHERE k.campaign = :campaign AND k.mailbox = a.mailbox)
      AND NOT EXISTS (SELECT FROM calls AS k WHERE k.campaign = :campaign AND k.official = a.id)
), called AS (
    INSERT INTO calls (campaign, official, city, division, mailbox, letter, testimony, asked_at)
    SELECT :campaign, id, city, division, mailbox, letter, testifies, :now FROM new
)
SELECT home AS division, bucket, mailbox, array_agg(id ORDER BY id) AS officials,
       array_agg(DISTINCT city ORDER BY city) AS cities, bool_or(letter) AS letter, bool_or(testifies) AS testimony
FROM new
GROUP BY home, bucket, mailbox
ORDER BY bucket, home, mailbox;

-- name: finish_jobs!
UPDATE fanout_jobs AS f SET done_at = :now
FROM unnest(:divisions::text[], :buckets::smallint[]) AS j (division, bucket)
WHERE f.campaign = :campaign AND f.division = j.division AND f.bucket = j.bucket;

-- name: record_outcomes!
-- The newest outcome of each mailbox counts, for all of its officials.
WITH reported AS (
    SELECT DISTINCT ON (campaign, mailbox) *
    FROM unnest(:campaigns::text[], :mailboxes::text[], :states::text[], :revisions::integer[], :times::timestamptz[])
        AS r (campaign, mailbox, state, revision, at)
    ORDER BY campaign, mailbox, revision DESC, at DESC
)
UPDATE calls AS c SET outcome = r.state, outcome_revision = r.revision, outcome_at = r.at
FROM reported AS r
WHERE c.campaign = r.campaign AND c.mailbox = r.mailbox
  AND (c.outcome_at IS NULL OR (c.outcome_revision, c.outcome_at) < (r.revision, r.at));
