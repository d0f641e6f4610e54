-- What was told is amended: the told revision with its facts, and which mailboxes were told which revision.

ALTER TABLE campaigns
    -- the matter's revision: one more for each change that someone who was told is to know
    ADD COLUMN told_revision integer NOT NULL DEFAULT 0,
    -- the told revision that brought the facts in force; whoever was told an older one is told again
    ADD COLUMN facts_revision integer NOT NULL DEFAULT 0,
    -- nothing is told from then on
    ADD COLUMN told_until timestamptz,
    -- bills that were asked about, for which no approval is waited for
    ADD COLUMN told_bills text[] NOT NULL DEFAULT '{}',
    -- the directory changed since it was decided on
    ADD COLUMN reconsider boolean NOT NULL DEFAULT false;

UPDATE campaigns AS c SET
    told_revision = 1, facts_revision = 1, told_until = ends_at,
    told_bills = ARRAY(SELECT p.bill_key FROM positions AS p WHERE p.id = ANY (c.positions) ORDER BY p.bill_key)
WHERE launched_at IS NOT NULL;

CREATE TABLE told (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    revision integer NOT NULL,
    told_at timestamptz NOT NULL,
    -- key, label, now and was of each material fact that differs from the revision before
    changed jsonb NOT NULL,
    facts jsonb NOT NULL,
    PRIMARY KEY (campaign, revision)
);

INSERT INTO told (campaign, revision, told_at, changed, facts)
SELECT id, 1, launched_at, '[]', message -> 'facts' FROM campaigns WHERE launched_at IS NOT NULL;

-- The newest revision that each mailbox was asked to be told; `standing` ends when the campaign does not concern it any
-- more. No foreign key, as for calls.
CREATE TABLE threads (
    campaign text NOT NULL,
    bucket smallint NOT NULL,
    mailbox text NOT NULL,
    division text NOT NULL,
    revision integer NOT NULL,
    standing boolean NOT NULL,
    PRIMARY KEY (campaign, bucket, mailbox)
);

INSERT INTO threads (campaign, bucket, mailbox, division, revision, standing)
SELECT campaign, (('x' || substr(mailbox, 1, 8))::bit(32)::bigint % 24)::smallint, mailbox,
       coalesce(min(nullif(division, '')), ''), 1, true
FROM calls GROUP BY campaign, mailbox;

ALTER TABLE calls
    -- when the campaign ceased to concern the official, who left, moved on or is no longer affected
    ADD COLUMN ended_at timestamptz,
    -- the newest revision whose mail was sent
    ADD COLUMN reached_revision integer;

UPDATE calls SET reached_revision = outcome_revision WHERE outcome = 'sent';

-- A job may wait for another hearing's state.
ALTER TABLE fanout_jobs ADD COLUMN due_at timestamptz;

-- One row while the directory changed and the launched campaigns were not looked at since.
CREATE TABLE directory_changes (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
);

-- The officials whom a launched campaign concerns as it stands. Who was called before stays concerned when letters are
-- closed; where nothing is asked any more (`calling` false) those who were called are concerned and nobody else.
CREATE FUNCTION people_concerned(
    of_campaign text, calling boolean, letters_open boolean, letter_roles text[], in_buckets smallint[]
) RETURNS TABLE (
    official text, city text, mailbox text, bucket smallint, division text, letter boolean, testimony boolean,
    is_new boolean, differs boolean
)
LANGUAGE sql STABLE AS $$
    SELECT o.id, o.city, o.mailbox, o.bucket, c.division,
           calling AND letters_open AND o.role_keys && letter_roles,
           calling AND o.testifies,
           k.official IS NULL OR k.ended_at IS NOT NULL OR k.mailbox <> o.mailbox,
           (k.letter, k.testimony, k.city, k.division) IS DISTINCT FROM
               (calling AND letters_open AND o.role_keys && letter_roles, calling AND o.testifies, o.city,
                coalesce(c.division, ''))
    FROM campaign_cities AS c
    JOIN officials AS o ON o.city = c.city AND o.active AND (in_buckets IS NULL OR o.bucket = ANY (in_buckets))
    LEFT JOIN calls AS k ON k.campaign = of_campaign AND k.official = o.id
    WHERE c.campaign = of_campaign
      AND CASE WHEN calling
               THEN o.testifies OR (o.role_keys && letter_roles AND (letters_open OR k.official IS NOT NULL))
               ELSE k.ended_at IS NULL AND k.mailbox = o.mailbox END
$$;

-- What became of the newest revision for each official whom a campaign concerns. One that was not needed, since what was
-- sent before said the same, counts as sent.
CREATE FUNCTION newest_outcomes(of_campaign text)
RETURNS TABLE (official text, mailbox text, division text, state text)
LANGUAGE sql STABLE AS $$
    SELECT k.official, k.mailbox, k.division,
           CASE WHEN k.outcome IS NULL OR k.outcome_revision < t.revision THEN 'pending'
                WHEN k.outcome = 'unneeded' AND k.reached_revision IS NOT NULL THEN 'sent'
                ELSE k.outcome END
    FROM calls AS k
    LEFT JOIN threads AS t ON t.campaign = of_campaign AND t.mailbox = k.mailbox
        AND t.bucket = (('x' || substr(k.mailbox, 1, 8))::bit(32)::bigint % 24)::smallint
    WHERE k.campaign = of_campaign AND k.ended_at IS NULL
$$;
