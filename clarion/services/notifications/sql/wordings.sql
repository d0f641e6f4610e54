-- name: newer_wordings
SELECT edition, template, version, subject, body FROM wordings WHERE edition > :edition ORDER BY edition

-- name: lock_wordings$
-- One save at a time, so that editions are committed in the order of their numbers.
SELECT pg_advisory_xact_lock(hashtextextended('notifications.wordings', 0)) IS NULL

-- name: insert_wording^
INSERT INTO wordings (template, version, subject, body, note, restores, made_by_kind, made_by, made_at)
VALUES (:template, :version, :subject, :body, :note, :restores, :made_by_kind, :made_by, :now)
RETURNING edition, version

-- name: versions_of
-- Newest first, with what it could not be used for.
SELECT w.edition, w.template, w.version, w.subject, w.body, w.note, w.restores, w.made_at,
       CASE w.made_by_kind WHEN 'staff' THEN coalesce(a.name, 'somebody whose account is gone') ELSE w.made_by END AS made_by,
       (SELECT count(*) FROM wording_fallbacks AS f WHERE f.edition = w.edition) AS fallbacks,
       (SELECT max(f.noted_at) FROM wording_fallbacks AS f WHERE f.edition = w.edition) AS fell_back_at,
       (SELECT f.reason FROM wording_fallbacks AS f WHERE f.edition = w.edition ORDER BY f.noted_at DESC LIMIT 1)
           AS fallback_reason
FROM wordings AS w
LEFT JOIN clarion.accounts AS a ON w.made_by_kind = 'staff' AND a.id = w.made_by
WHERE w.version IS NOT NULL AND (:template::text IS NULL OR w.template = :template)
ORDER BY w.template, w.version DESC

-- name: version_in_edition^
-- The wording of a template that held in an edition; one that was only tried out holds in its own edition alone.
SELECT edition, template, version, subject, body
FROM wordings
WHERE template = :template AND edition <= :edition AND (version IS NOT NULL OR edition = :edition)
ORDER BY edition DESC
LIMIT 1

-- name: note_fallbacks!
INSERT INTO wording_fallbacks (content_id, template, edition, reason, noted_at)
SELECT content_id, template, edition, reason, :now
FROM unnest(:contents::bigint[], :templates::text[], :editions::bigint[], :reasons::text[])
    AS given (content_id, template, edition, reason)
ON CONFLICT (content_id, template) DO NOTHING

-- name: fallback_of^
SELECT template, edition, reason, noted_at FROM wording_fallbacks WHERE content_id = :content_id LIMIT 1

-- name: pin_edition!
-- A mail with which a wording is tried out is told in it, whatever is in force.
UPDATE contents SET edition = :edition WHERE matter = :matter

-- name: purge_tried$
WITH purged AS (
    DELETE FROM wordings AS w
    WHERE w.edition = ANY (ARRAY(
        SELECT edition FROM wordings
        WHERE version IS NULL AND made_at < :before
          AND NOT EXISTS (SELECT FROM contents AS c WHERE c.edition = wordings.edition)
        LIMIT :at_most
    ))
    RETURNING 1
)
SELECT count(*) FROM purged

-- name: purge_fallbacks$
-- Those of contents that are gone.
WITH purged AS (
    DELETE FROM wording_fallbacks AS f
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM wording_fallbacks AS one
        WHERE one.noted_at < :before AND NOT EXISTS (SELECT FROM contents AS c WHERE c.id = one.content_id)
        LIMIT :at_most
    ))
    RETURNING 1
)
SELECT count(*) FROM purged
