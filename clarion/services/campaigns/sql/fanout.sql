-- name: claim_in_order!
-- Jobs are read in the order of their index until there are enough, whatever the planner knows of a table that thousands
-- were just put into: to sort them, or those of one campaign, is to read all of them for every claim.
SELECT set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
       set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_seqscan', 'off', true);

-- name: plan_afresh!
-- A plan made while the tables were empty would be kept for the whole of a large fan-out. Officials are found by city and
-- bucket: each transaction reads its own and not the whole directory.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1.1', true),
       set_config('enable_sort', 'on', true), set_config('enable_incremental_sort', 'on', true),
       set_config('enable_bitmapscan', 'on', true), set_config('enable_hashjoin', 'on', true),
       set_config('enable_seqscan', 'on', true);

-- name: claim_jobs
-- The waves of one bucket stand together, so that its officials are read once. A campaign that is being decided on is
-- left alone, or is yet to be, and none is decided on while its jobs are done. A paused wave waits while nobody of its
-- bucket was asked; afterwards the ledger holds its messages, and what is amended replaces them there.
SELECT j.campaign, j.division, j.bucket, j.officials, j.reached
FROM fanout_jobs AS j JOIN campaigns AS c ON c.id = j.campaign
WHERE j.done_at IS NULL AND j.bucket = ANY (:buckets::smallint[]) AND (j.due_at IS NULL OR j.due_at <= :now)
  AND c.launched_at IS NOT NULL AND c.told_until > :now
  AND c.hearing NOT IN (SELECT hearing FROM reconsiderations)
  AND (NOT EXISTS (
          SELECT FROM pauses AS p
          WHERE p.campaign = j.campaign AND p.paused AND (p.division IS NULL OR p.division = j.division))
       OR EXISTS (SELECT FROM threads AS t WHERE t.campaign = j.campaign AND t.bucket = j.bucket))
ORDER BY j.campaign, j.bucket, j.reached, j.division
LIMIT :most
FOR UPDATE OF j SKIP LOCKED FOR SHARE OF c SKIP LOCKED;

-- name: campaign_message^
SELECT c.id, c.message, c.told_revision, c.facts_revision, c.told_until, c.letters_due_at, c.ends_at, h.jurisdiction
FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing
WHERE c.id = :campaign;

-- name: cities_of_campaign
SELECT city, name, bills, reasons::text AS reasons FROM campaign_cities WHERE campaign = :campaign;

-- name: paragraphs_of_campaign
SELECT division, paragraph FROM approvals WHERE campaign = :campaign AND paragraph IS NOT NULL;

-- name: divisions_by_slug
SELECT id AS slug, name, manager_name, manager_email, manager_phone FROM divisions
WHERE id = ANY (:slugs::text[]) AND active;

-- name: any_told$
-- Whether anybody of these mailboxes was told something of the campaign.
SELECT EXISTS (
    SELECT FROM threads
    WHERE campaign = :campaign AND bucket = ANY (:buckets::smallint[]) AND mailbox >= :reached AND mailbox < :upto);

-- name: bring_up_to_date
-- Brings the mailboxes of these jobs to the told revision: who is concerned and was not told it, or not told that the
-- facts changed, or whose mail expired before letters were closed, is asked for; who was told and is not concerned any
-- more is withdrawn, which has no officials. Nobody twice at one revision.
-- IN and NOT IN are looked up in a hash whatever the planner thinks of the tables, which are new to it. What is new is
-- inserted plainly: looking for what it could conflict with costs half as much again.
WITH jobs AS (
    SELECT * FROM unnest(:divisions::text[], :buckets::smallint[]) AS j (division, bucket)
), people AS MATERIALIZED (
    SELECT * FROM people_of_campaign(
        :campaign::text, :calling::boolean, :letters_open::boolean, :heard::boolean, :letter_roles::text[],
        :in_buckets::smallint[], :reached::text, :upto::text, :any_told::boolean)
), boxes AS (
    SELECT bucket, mailbox, coalesce(min(division), '') AS division, array_agg(official ORDER BY official) AS officials,
           array_agg(city) AS cities, bool_or(letter) AS letter,
           bool_or(phone) AS phone, bool_or(testimony) AS testimony, bool_or(is_new) AS gained,
           jsonb_agg(own) FILTER (WHERE own IS NOT NULL) AS own
    FROM people GROUP BY mailbox, bucket
), known AS (
    SELECT * FROM threads
    WHERE campaign = :campaign AND bucket = ANY (:in_buckets::smallint[]) AND mailbox >= :reached AND mailbox < :upto
), due AS (
    SELECT bucket, mailbox, coalesce(b.division, t.division) AS division, b.officials, b.cities, b.letter, b.phone,
           b.testimony, b.own, t.revision,
           CASE WHEN b.officials IS NOT NULL THEN 'asked'
                WHEN NOT EXISTS (
                    SELECT FROM calls AS k JOIN officials AS o ON o.id = k.official AND o.active
                    WHERE k.campaign = :campaign AND k.mailbox = t.mailbox AND k.ended_at IS NULL)
                AND EXISTS (
                    SELECT FROM calls AS k
                    WHERE k.campaign = :campaign AND k.mailbox = t.mailbox AND k.ended_at IS NULL) THEN 'left'
                ELSE 'withdrawn' END AS what
    FROM boxes AS b
    FULL JOIN known AS t USING (bucket, mailbox)
    WHERE CASE WHEN (bucket, coalesce(b.division, t.division)) NOT IN (SELECT bucket, division FROM jobs) THEN false
               WHEN t.revision IS NULL THEN true
               WHEN b.officials IS NULL THEN t.standing
               ELSE t.revision < :told::integer
                    AND (NOT t.standing OR t.revision < :facts::integer OR b.gained
                         OR (:calling::boolean AND NOT :letters_open::boolean AND EXISTS (
                             SELECT FROM calls AS k
                             WHERE k.campaign = :campaign AND k.mailbox = t.mailbox AND k.ended_at IS NULL
                               AND k.outcome = 'expired' AND k.outcome_revision = t.revision))) END
), done AS MATERIALIZED (
    SELECT * FROM due WHERE what = 'left' OR revision IS NULL OR revision < :told::integer
), threads_made AS (
    INSERT INTO threads (campaign, bucket, mailbox, division, revision, standing)
    SELECT :campaign, bucket, mailbox, division, :told::integer, true FROM done WHERE revision IS NULL
), threads_kept AS (
    INSERT INTO threads (campaign, bucket, mailbox, division, revision, standing)
    SELECT :campaign, bucket, mailbox, division, CASE WHEN what = 'left' THEN revision ELSE :told::integer END,
           what = 'asked'
    FROM done WHERE revision IS NOT NULL
    ON CONFLICT (campaign, bucket, mailbox) DO UPDATE SET
        division = excluded.division, revision = excluded.revision, standing = excluded.standing
), calls_made AS (
    INSERT INTO calls (campaign, official, city, division, mailbox, letter, phone, testimony, asked_at)
    SELECT :campaign, official, city, coalesce(division, ''), mailbox, letter, phone, testimony, :now
    FROM people
    WHERE CASE WHEN NOT is_known THEN mailbox IN (SELECT mailbox FROM done WHERE what = 'asked') END
    ORDER BY mailbox, official
), calls_kept AS (
    INSERT INTO calls (campaign, official, city, division, mailbox, letter, phone, testimony, asked_at)
    SELECT :campaign, official, city, coalesce(division, ''), mailbox, letter, phone, testimony, :now
    FROM people
    WHERE CASE WHEN NOT is_known THEN false
               WHEN is_new OR (asks_differ AND NOT differs)
               THEN mailbox IN (SELECT mailbox FROM done WHERE what = 'asked') ELSE differs END
    ORDER BY mailbox, official
    ON CONFLICT (campaign, official) DO UPDATE SET
        city = excluded.city, division = excluded.division, mailbox = excluded.mailbox, letter = excluded.letter,
        phone = excluded.phone, testimony = excluded.testimony, ended_at = NULL,
        asked_at = CASE WHEN calls.mailbox = excluded.mailbox THEN calls.asked_at ELSE excluded.asked_at END,
        outcome = CASE WHEN calls.mailbox = excluded.mailbox THEN calls.outcome END,
        outcome_revision = CASE WHEN calls.mailbox = excluded.mailbox THEN calls.outcome_revision END,
        outcome_at = CASE WHEN calls.mailbox = excluded.mailbox THEN calls.outcome_at END,
        reached_revision = CASE WHEN calls.mailbox = excluded.mailbox THEN calls.reached_revision END
), ended AS (
    UPDATE calls AS k SET ended_at = :now
    WHERE k.campaign = :campaign AND k.mailbox = ANY (ARRAY(SELECT mailbox FROM known)) AND k.ended_at IS NULL
      AND CASE WHEN k.official NOT IN (SELECT official FROM people)
               THEN (k.division, k.mailbox) IN (SELECT j.division, t.mailbox FROM known AS t JOIN jobs AS j USING (bucket))
               END
)
SELECT mailbox, division, bucket, officials, cities, letter, testimony, phone, own
FROM done WHERE what <> 'left'
ORDER BY mailbox;

-- name: called_at_other_hearings
-- Which of these mailboxes are called for these bills at the hearings to which the bills went.
SELECT DISTINCT o.mailbox, d.bill_key
FROM unnest(:hearings::text[], :bill_keys::text[], :bills::text[]) AS d (hearing, bill_key, bill)
JOIN campaigns AS c ON c.hearing = d.hearing AND c.status = 'launched' AND c.ends_at > :now
JOIN campaign_cities AS w ON w.campaign = c.id AND w.open AND d.bill = ANY (w.bills)
JOIN officials AS o ON o.city = w.city AND o.active AND o.mailbox = ANY (:mailboxes::text[])
LEFT JOIN choices AS x ON x.campaign = c.id AND x.official = o.id
WHERE CASE WHEN x.official IS NULL THEN w.whole AND (o.testifies OR o.role_keys && :letter_roles::text[])
           ELSE x.included END;

-- name: called_before_at
-- Which of these mailboxes were called at these hearings.
SELECT c.hearing, t.mailbox FROM campaigns AS c
JOIN threads AS t ON t.campaign = c.id AND t.bucket = ANY (:buckets::smallint[]) AND t.mailbox = ANY (:mailboxes::text[])
WHERE c.hearing = ANY (:hearings::text[]);

-- name: finish_jobs!
UPDATE fanout_jobs AS f SET
    reached = CASE WHEN :upto::text = :end THEN '' ELSE :upto END,
    done_at = CASE WHEN :upto::text = :end THEN :now::timestamptz END
FROM unnest(:divisions::text[], :buckets::smallint[]) AS j (division, bucket)
WHERE f.campaign = :campaign AND f.division = j.division AND f.bucket = j.bucket;

-- name: note_expired!
-- An ask for letters expired: only those end before their campaign does. Looked at again once letters are closed.
UPDATE campaigns SET letters_expired = true
WHERE id IN (
    SELECT id FROM campaigns
    WHERE id = ANY (:campaigns::text[]) AND status = 'launched' AND letters_due_at IS NOT NULL AND NOT letters_expired
    ORDER BY id FOR NO KEY UPDATE);

-- name: find_calls_by_key!
-- Outcomes find their calls by mailbox, whatever the planner knew of the table when it made their plan.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);

-- name: record_outcomes!
-- The newest outcome of each mailbox counts, for all of its officials; and the newest revision that reached it, which a
-- bounce takes back. Calls are taken in the order of their mailboxes, as the fan-out takes them.
WITH said AS (
    SELECT *, max(revision) FILTER (WHERE state = 'bounced') OVER (PARTITION BY campaign, mailbox) AS bounced,
           max(at) FILTER (WHERE state = 'bounced') OVER (PARTITION BY campaign, mailbox) AS bounced_at
    FROM unnest(:campaigns::text[], :mailboxes::text[], :states::text[], :revisions::integer[], :times::timestamptz[])
        AS r (campaign, mailbox, state, revision, at)
), newest AS MATERIALIZED (
    SELECT DISTINCT ON (campaign, mailbox) *,
           max(revision) FILTER (WHERE state = 'sent' AND (bounced_at < at OR bounced < revision) IS NOT FALSE)
               OVER (PARTITION BY campaign, mailbox) AS reached
    FROM said
    ORDER BY campaign, mailbox, revision DESC, at DESC
)
UPDATE calls AS c SET
    outcome = CASE WHEN ((c.outcome_revision, c.outcome_at) < (n.revision, n.at)) IS NOT FALSE
                   THEN n.state ELSE c.outcome END,
    outcome_revision = CASE WHEN ((c.outcome_revision, c.outcome_at) < (n.revision, n.at)) IS NOT FALSE
                            THEN n.revision ELSE c.outcome_revision END,
    outcome_at = CASE WHEN ((c.outcome_revision, c.outcome_at) < (n.revision, n.at)) IS NOT FALSE
                      THEN n.at ELSE c.outcome_at END,
    reached_revision = greatest(
        CASE WHEN (c.reached_revision <= n.bounced) IS NOT TRUE THEN c.reached_revision END, n.reached)
FROM newest AS n
WHERE c.campaign = n.campaign AND c.mailbox = n.mailbox
  AND (((c.outcome_revision, c.outcome_at) < (n.revision, n.at)) IS NOT FALSE
       OR n.reached > coalesce(c.reached_revision, 0) OR c.reached_revision <= n.bounced);
