-- What became of the newest revision for each official whom a campaign concerns, with the city. One that was not needed,
-- since what was sent before said the same, counts as sent.
-- squawk-ignore ban-drop-function
DROP FUNCTION newest_outcomes(text);
CREATE FUNCTION newest_outcomes(of_campaign text)
RETURNS TABLE (official text, mailbox text, division text, state text, city text)
LANGUAGE sql STABLE AS $$
    SELECT k.official, k.mailbox, k.division,
           CASE WHEN k.outcome IS NULL OR k.outcome_revision < t.revision THEN 'pending'
                WHEN k.outcome = 'unneeded' AND k.reached_revision IS NOT NULL THEN 'sent'
                ELSE k.outcome END,
           k.city
    FROM calls AS k
    LEFT JOIN threads AS t ON t.campaign = of_campaign AND t.mailbox = k.mailbox
        AND t.bucket = (('x' || substr(k.mailbox, 1, 8))::bit(32)::bigint % 24)::smallint
    WHERE k.campaign = of_campaign AND k.ended_at IS NULL
$$;
