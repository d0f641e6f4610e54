-- Waves are let go one by one, people are chosen by hand, and a written ask that comes too late becomes a call.

-- How the campaign is let go, fixed at its first launch; and the bills added since that somebody let it ask about.
ALTER TABLE campaigns
    ADD COLUMN launch text CHECK (launch IN ('auto', 'approval')),
    ADD COLUMN approved_bills text[] NOT NULL DEFAULT '{}';

UPDATE campaigns SET launch = 'auto' WHERE launched_at IS NOT NULL;

-- What was decided about a division's wave; without a row it waits, or goes by itself where the campaign is 'auto'.
CREATE TABLE approvals (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    division text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected', 'stopped')),
    -- one more for each decision, so that of two who decide at once the second is told
    revision integer NOT NULL,
    -- a hash of what the wave's recipients would read, as it was when it was decided on
    look text,
    reason text,
    decided_by text,
    decided_at timestamptz,
    -- the division's own paragraph in its calls
    paragraph text,
    PRIMARY KEY (campaign, division)
);

-- Officials left out of a campaign by hand, or added to it with what they are asked: 'letter' (whatever is its written
-- ask) or 'testimony'.
CREATE TABLE choices (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    official text NOT NULL,
    included boolean NOT NULL,
    asks text[] NOT NULL DEFAULT '{}',
    reason text NOT NULL,
    chosen_by text NOT NULL,
    chosen_at timestamptz NOT NULL,
    PRIMARY KEY (campaign, official)
);

-- Officials who belong to an audience as persons, as members of a group do; `reasons` are sentences with their kind.
CREATE TABLE campaign_people (
    campaign text NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    official text NOT NULL,
    writes boolean NOT NULL,
    reasons jsonb NOT NULL,
    PRIMARY KEY (campaign, official)
);

ALTER TABLE campaign_cities
    -- its division's wave was let go
    ADD COLUMN open boolean NOT NULL DEFAULT true,
    -- all of its officials belong to the audience, and not only those that stand there by themselves
    ADD COLUMN whole boolean NOT NULL DEFAULT true;

-- Asked to call, since what they were to write would come too late.
ALTER TABLE calls ADD COLUMN phone boolean NOT NULL DEFAULT false;

-- The audience of a campaign, whether or not its waves were let go: who is asked to write, and who to speak where it is
-- `heard`. Without `letter_roles` whoever there is writes.
CREATE FUNCTION audience_of(of_campaign text, heard boolean, letter_roles text[])
RETURNS TABLE (
    official text, city text, mailbox text, bucket smallint, division text, open boolean, writes boolean, speaks boolean,
    own jsonb
)
LANGUAGE sql STABLE AS $$
    SELECT o.id, o.city, o.mailbox, o.bucket, c.division, c.open,
           (c.whole AND (letter_roles IS NULL OR o.role_keys && letter_roles))
           OR coalesce(p.writes, false) OR coalesce('letter' = ANY (x.asks), false),
           heard AND (((c.whole OR p.official IS NOT NULL) AND o.testifies)
                      OR coalesce('testimony' = ANY (x.asks), false)),
           CASE WHEN x.official IS NOT NULL
                THEN coalesce(p.reasons, '[]') || jsonb_build_object('kind', 'hand', 'text', x.reason)
                ELSE p.reasons END
    FROM campaign_cities AS c
    JOIN officials AS o ON o.city = c.city AND o.active
    LEFT JOIN campaign_people AS p ON p.campaign = of_campaign AND p.official = o.id
    LEFT JOIN choices AS x ON x.campaign = of_campaign AND x.official = o.id
    WHERE c.campaign = of_campaign AND x.included IS DISTINCT FROM false
$$;

-- The officials whom a launched campaign concerns as it stands, of a range of mailboxes: those of the waves that were let
-- go. Once letters are closed whoever would write is asked to call. Where nothing is asked any more (`calling` false)
-- those who were called are concerned and nobody else. `differs` is what is kept without a mail, `asks_differ` what a
-- mail that is due tells as well. OFFSET 0 keeps the planner from reading all calls of the campaign for those of a few.
CREATE FUNCTION people_of_campaign(
    of_campaign text, calling boolean, letters_open boolean, heard boolean, letter_roles text[], in_buckets smallint[],
    from_mailbox text DEFAULT '', to_mailbox text DEFAULT 'g'
) RETURNS TABLE (
    official text, city text, mailbox text, bucket smallint, division text, letter boolean, phone boolean,
    testimony boolean, own jsonb, is_new boolean, differs boolean, asks_differ boolean
)
LANGUAGE sql STABLE AS $$
    SELECT a.official, a.city, a.mailbox, a.bucket, a.division,
           calling AND a.writes AND letters_open, calling AND a.writes AND NOT letters_open, calling AND a.speaks, a.own,
           k.official IS NULL OR k.ended_at IS NOT NULL OR k.mailbox <> a.mailbox,
           (k.letter OR k.phone, k.testimony, k.city, k.division) IS DISTINCT FROM
               (calling AND a.writes, calling AND a.speaks, a.city, coalesce(a.division, '')),
           (k.letter, k.phone) IS DISTINCT FROM
               (calling AND a.writes AND letters_open, calling AND a.writes AND NOT letters_open)
    FROM audience_of(of_campaign, heard, letter_roles) AS a
    LEFT JOIN LATERAL (
        SELECT calls.official, calls.mailbox, calls.ended_at, calls.letter, calls.phone, calls.testimony, calls.city,
               calls.division
        FROM calls WHERE calls.campaign = of_campaign AND calls.official = a.official
        OFFSET 0
    ) AS k ON true
    WHERE a.open
      AND (in_buckets IS NULL
           OR (a.bucket = ANY (in_buckets) AND a.mailbox >= from_mailbox AND a.mailbox < to_mailbox))
      AND CASE WHEN calling THEN a.writes OR a.speaks ELSE k.ended_at IS NULL AND k.mailbox = a.mailbox END
$$;
