-- The audience of a campaign, as before; but whether anybody was chosen for it by hand or as a person is looked up once,
-- and where nobody was, not for each official again. OFFSET 0 keeps these questions where they stand.
CREATE OR REPLACE FUNCTION audience_of(of_campaign text, heard boolean, letter_roles text[])
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
    FROM (
        SELECT EXISTS (SELECT FROM campaign_people WHERE campaign = of_campaign) AS people,
               EXISTS (SELECT FROM choices WHERE campaign = of_campaign) AS by_hand
        OFFSET 0
    ) AS has
    CROSS JOIN campaign_cities AS c
    JOIN officials AS o ON o.city = c.city AND o.active
    LEFT JOIN LATERAL (
        SELECT l.official, l.writes, l.reasons FROM campaign_people AS l
        WHERE has.people AND l.campaign = of_campaign AND l.official = o.id
        OFFSET 0
    ) AS p ON true
    LEFT JOIN LATERAL (
        SELECT l.official, l.included, l.asks, l.reason FROM choices AS l
        WHERE has.by_hand AND l.campaign = of_campaign AND l.official = o.id
        OFFSET 0
    ) AS x ON true
    WHERE c.campaign = of_campaign AND x.included IS DISTINCT FROM false
$$;

-- The same as the campaign's message says who is asked; `otherwise` are the roles where it does not say. OFFSET 0 has the
-- message read once, and not for each official.
CREATE FUNCTION asked_of(of_campaign text, otherwise text[])
RETURNS TABLE (
    official text, city text, mailbox text, bucket smallint, division text, writes boolean, speaks boolean, own jsonb
)
LANGUAGE sql STABLE AS $$
    SELECT a.official, a.city, a.mailbox, a.bucket, a.division, a.writes, a.speaks, a.own
    FROM (
        SELECT coalesce((c.message ->> 'heard')::boolean, true) AS heard, letter_roles_of(c.message, otherwise) AS roles
        FROM campaigns AS c WHERE c.id = of_campaign
        OFFSET 0
    ) AS said
    CROSS JOIN LATERAL audience_of(of_campaign, said.heard, said.roles) AS a
    WHERE a.writes OR a.speaks
$$;

-- The officials whom a launched campaign concerns, as before; but where nobody of these mailboxes was told anything of it
-- yet (`told` false), no call of theirs is looked for. Whoever has one all the same breaks its key.
CREATE FUNCTION people_of_campaign(
    of_campaign text, calling boolean, letters_open boolean, heard boolean, letter_roles text[], in_buckets smallint[],
    from_mailbox text, to_mailbox text, told boolean
) RETURNS TABLE (
    official text, city text, mailbox text, bucket smallint, division text, letter boolean, phone boolean,
    testimony boolean, own jsonb, is_new boolean, differs boolean, asks_differ boolean, is_known boolean
)
LANGUAGE sql STABLE AS $$
    SELECT a.official, a.city, a.mailbox, a.bucket, a.division,
           calling AND a.writes AND letters_open, calling AND a.writes AND NOT letters_open, calling AND a.speaks, a.own,
           k.official IS NULL OR k.ended_at IS NOT NULL OR k.mailbox <> a.mailbox,
           (k.letter OR k.phone, k.testimony, k.city, k.division) IS DISTINCT FROM
               (calling AND a.writes, calling AND a.speaks, a.city, coalesce(a.division, '')),
           (k.letter, k.phone) IS DISTINCT FROM
               (calling AND a.writes AND letters_open, calling AND a.writes AND NOT letters_open),
           k.official IS NOT NULL
    FROM audience_of(of_campaign, heard, letter_roles) AS a
    LEFT JOIN LATERAL (
        SELECT calls.official, calls.mailbox, calls.ended_at, calls.letter, calls.phone, calls.testimony, calls.city,
               calls.division
        FROM calls WHERE told AND calls.campaign = of_campaign AND calls.official = a.official
        OFFSET 0
    ) AS k ON true
    WHERE a.open
      AND (in_buckets IS NULL
           OR (a.bucket = ANY (in_buckets) AND a.mailbox >= from_mailbox AND a.mailbox < to_mailbox))
      AND CASE WHEN calling THEN a.writes OR a.speaks ELSE k.ended_at IS NULL AND k.mailbox = a.mailbox END
$$;

-- How many officials a wave has in each bucket, as its jobs are planned; NULL in waves that were planned before.
ALTER TABLE waves ADD COLUMN by_bucket integer[];
