-- name: insert_upload!
INSERT INTO uploads (id, kind, is_full, state, staff, staff_name, made_at, changed_at)
VALUES (:id, :kind, :is_full, 'waiting', :staff, :staff_name, :at, :at);

-- name: insert_upload_part!
INSERT INTO upload_parts (upload, file, name, part, content) VALUES (:upload, :file, :name, :part, :content);

-- name: find_upload^
SELECT id, kind, is_full, state, staff, staff_name, made_at, changed_at, confirmed_by, lines_read, report, problem,
       import_id, leased_until IS NOT NULL AND leased_until > now() AS at_work,
       ARRAY(SELECT DISTINCT name FROM upload_parts WHERE upload = uploads.id ORDER BY name) AS files
FROM uploads
WHERE id = :id;

-- name: settle_looked$
-- Claimed by condition: of two who confirm, one does.
UPDATE uploads
SET state = :to, changed_at = :at, leased_until = NULL, lines_read = 0, confirmed_by = :by, confirmer = :confirmer,
    confirmed_from = :place, allow_large = :large
WHERE id = :id AND state = 'looked'
RETURNING id;

-- name: claim_upload^
-- By the database's clock, as all leases.
UPDATE uploads
SET leased_until = now() + :lease, lines_read = 0
WHERE id = (
    SELECT id FROM uploads
    WHERE state IN ('waiting', 'confirmed') AND (leased_until IS NULL OR leased_until <= now())
    ORDER BY made_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING id, kind, is_full, allow_large, state, confirmer, confirmed_by, confirmed_from;

-- name: renew_upload!
UPDATE uploads SET leased_until = now() + :lease, lines_read = :lines WHERE id = :id;

-- name: end_upload!
UPDATE uploads
SET state = :state, changed_at = :at, leased_until = NULL, report = coalesce(:report, report), problem = :problem,
    import_id = :import_id
WHERE id = :id;

-- name: parts_of_upload
SELECT file, name, part FROM upload_parts WHERE upload = :upload ORDER BY file, part;

-- name: part_content$
SELECT content FROM upload_parts WHERE upload = :upload AND file = :file AND part = :part;

-- name: delete_upload_parts!
DELETE FROM upload_parts WHERE upload = :upload;

-- name: purge_uploads$
-- What nobody confirmed is dropped with its files; what was imported stays, but for the report, which names people.
WITH due AS (
    SELECT id FROM uploads
    WHERE changed_at < :before AND state IN ('waiting', 'looked', 'failed') ORDER BY changed_at LIMIT :at_most
), emptied AS (
    DELETE FROM upload_parts WHERE upload IN (SELECT id FROM due)
), dropped AS (
    UPDATE uploads SET state = 'dropped', report = NULL, leased_until = NULL WHERE id IN (SELECT id FROM due) RETURNING 1
), forgotten AS (
    UPDATE uploads SET report = NULL
    WHERE id IN (
        SELECT id FROM uploads
        WHERE state = 'imported' AND report IS NOT NULL AND changed_at < :reports_before
        ORDER BY changed_at
        LIMIT :at_most
    )
    RETURNING 1
)
SELECT (SELECT count(*) FROM dropped) + (SELECT count(*) FROM forgotten);

-- name: list_imports
-- Imports from a terminal have no upload: who did them stands in the audit log.
SELECT done.id, done.kind, done.completed_at, done.added, done.changed, done.unchanged, done.rejected, done.gone, done.held,
       upload.id AS upload, coalesce(upload.confirmed_by, act.actor_name) AS who
FROM imports AS done
LEFT JOIN uploads AS upload ON upload.import_id = done.id
LEFT JOIN LATERAL (
    SELECT actor_name FROM clarion.audit WHERE subject = 'import:' || done.id ORDER BY id LIMIT 1
) AS act ON true
ORDER BY done.number DESC
LIMIT :at_most OFFSET :skipped;

-- name: open_uploads
SELECT id, kind, state, staff_name, made_at FROM uploads
WHERE state IN ('waiting', 'looked', 'confirmed')
ORDER BY made_at DESC
LIMIT :at_most;
