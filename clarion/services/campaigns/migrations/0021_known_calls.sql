-- The officials whom a launched campaign concerns as it stands, of a range of mailboxes: those of the waves that were let
-- go. Once letters are closed whoever would write is asked to call. Where nothing is asked any more (`calling` false)
-- those who were called are concerned and nobody else. `differs` is what is kept without a mail, `asks_differ` what a
-- mail that is due tells as well; who is not `is_known` has no call of it, not even an ended one, so that one can be made
-- without looking for what is there. OFFSET 0 keeps the planner from reading all calls of the campaign for those of a few.
-- squawk-ignore ban-drop-function
DROP FUNCTION people_of_campaign(text, boolean, boolean, boolean, text[], smallint[], text, text);
CREATE FUNCTION people_of_campaign(
    of_campaign text, calling boolean, letters_open boolean, heard boolean, letter_roles text[], in_buckets smallint[],
    from_mailbox text DEFAULT '', to_mailbox text DEFAULT 'g'
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
        FROM calls WHERE calls.campaign = of_campaign AND calls.official = a.official
        OFFSET 0
    ) AS k ON true
    WHERE a.open
      AND (in_buckets IS NULL
           OR (a.bucket = ANY (in_buckets) AND a.mailbox >= from_mailbox AND a.mailbox < to_mailbox))
      AND CASE WHEN calling THEN a.writes OR a.speaks ELSE k.ended_at IS NULL AND k.mailbox = a.mailbox END
$$;
