-- name: campaign_to_change^
SELECT c.id, c.title, c.status, c.problem, c.told_revision, c.message -> 'facts' AS facts, h.alert
FROM campaigns AS c JOIN hearings AS h ON h.id = c.hearing
WHERE c.id = :campaign;

-- name: count_told^
-- Of the mailboxes that a campaign concerns: those that were sent something, and those whose first mail is still to go.
SELECT count(*) FILTER (WHERE m.told) AS told, count(*) FILTER (WHERE m.unsent) AS unsent
FROM (
    SELECT bool_or(k.reached_revision IS NOT NULL OR coalesce(k.outcome IN ('sent', 'unknown'), false)) AS told,
           bool_and(k.outcome IS NULL) AS unsent
    FROM calls AS k
    WHERE k.campaign = :campaign AND k.ended_at IS NULL
    GROUP BY k.mailbox
) AS m;

-- name: insert_change!
INSERT INTO occasion_changes (campaign, revision, what, before, changed_by, changed_at)
VALUES (:campaign, :revision, :what, :before, :by, :now);

-- name: last_change^
-- What was changed last, if that can be taken back: nothing came after it.
SELECT x.what, x.before, name_of_actor(x.changed_by) AS by, x.changed_at AS at
FROM occasion_changes AS x
JOIN campaigns AS c ON c.id = x.campaign
JOIN hearings AS h ON h.id = c.hearing AND (h.alert ->> 'revision')::integer = x.revision
WHERE x.campaign = :campaign AND x.what <> 'taken-back';
