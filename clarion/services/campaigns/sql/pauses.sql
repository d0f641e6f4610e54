-- name: lock_campaign$
SELECT id FROM campaigns WHERE id = :campaign FOR NO KEY UPDATE;

-- name: divisions_of
-- The divisions of a campaign's waves, of those that were told before too.
SELECT division FROM waves WHERE campaign = :campaign
UNION
SELECT division FROM fanout_jobs WHERE campaign = :campaign
ORDER BY division;

-- name: pauses_of
SELECT division, revision, paused, changed_at FROM pauses WHERE campaign = :campaign ORDER BY division NULLS FIRST;

-- name: save_pause!
INSERT INTO pauses (campaign, division, revision, paused, changed_at)
VALUES (:campaign, :division, :revision, :paused, :now)
ON CONFLICT (campaign, division) DO UPDATE
SET revision = excluded.revision, paused = excluded.paused, changed_at = excluded.changed_at;
