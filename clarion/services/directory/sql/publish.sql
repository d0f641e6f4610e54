-- name: enqueue_altered^
-- Each entity's body is put together where it is kept: half a million need not pass through here to get to the outbox.
-- In the order in which one kind refers to another. Ids are made of the batch's: drawing one for each takes as long as the
-- rest of a row.
WITH put AS (
INSERT INTO outbox (topic, key, headers, body)
SELECT :topic, convert_to(kind || ':' || id, 'UTF8'),
       :headers::jsonb || jsonb_build_array(
           jsonb_build_array('ce_id', :batch || '/' || kind || ':' || id),
           jsonb_build_array('ce_type', kind || '.changed'),
           jsonb_build_array('ce_subject', id),
           jsonb_build_array('ce_importid', import_id)
       ),
       convert_to((jsonb_build_object('id', id, 'revision', revision, 'active', active) || body)::text, 'UTF8')
FROM altered
JOIN current_entities USING (kind, id)
ORDER BY array_position(ARRAY['division', 'city', 'district', 'group', 'legislator', 'committee', 'official', 'partner'], kind),
         id
RETURNING octet_length(body) AS size
)
SELECT count(*) AS messages, coalesce(max(size), 0) AS largest FROM put;

-- name: all_altered!
INSERT INTO altered (kind, id) SELECT kind, id FROM current_entities;

-- name: newest_imports
SELECT DISTINCT ON (kind) id AS import_id, kind, completed_at, added, changed, unchanged, rejected, gone AS left, held
FROM imports
ORDER BY kind, number DESC;
