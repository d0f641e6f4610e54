-- A job is done in ranges of its mailboxes, so that each is read once however many there are: those before `reached` are
-- done.
ALTER TABLE fanout_jobs ADD COLUMN reached text NOT NULL DEFAULT '';

-- The officials whom a launched campaign concerns as it stands, of a range of mailboxes. Who was called before stays
-- concerned when letters are closed; where nothing is asked any more (`calling` false) those who were called are concerned
-- and nobody else. OFFSET 0 keeps the planner from reading all calls of the campaign for those of a few.
-- squawk-ignore ban-drop-function
DROP FUNCTION people_concerned(text, boolean, boolean, text[], smallint[]);
CREATE FUNCTION people_concerned(
    of_campaign text, calling boolean, letters_open boolean, letter_roles text[], in_buckets smallint[],
    from_mailbox text DEFAULT '', to_mailbox text DEFAULT 'g'
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
    JOIN officials AS o ON o.city = c.city AND o.active
        AND (in_buckets IS NULL
             OR (o.bucket = ANY (in_buckets) AND o.mailbox >= from_mailbox AND o.mailbox < to_mailbox))
    LEFT JOIN LATERAL (
        SELECT calls.official, calls.mailbox, calls.ended_at, calls.letter, calls.testimony, calls.city, calls.division
        FROM calls WHERE calls.campaign = of_campaign AND calls.official = o.id
        OFFSET 0
    ) AS k ON true
    WHERE c.campaign = of_campaign
      AND CASE WHEN calling
               THEN o.testifies OR (o.role_keys && letter_roles AND (letters_open OR k.official IS NOT NULL))
               ELSE k.ended_at IS NULL AND k.mailbox = o.mailbox END
$$;
