-- name: officials_kept
-- Whose address this is or was by a line of an import.
SELECT id, revision, active, state, derived, corrected, import_id, changed_at
FROM entities
WHERE kind = 'official' AND :mailbox IN (state ->> 'mailbox', corrected ->> 'mailbox')
  AND (:alone OR id = ANY(:ids::text[]))
ORDER BY id

-- name: readers_of_mailbox
SELECT id, coalesce(corrected ->> 'name', state ->> 'name') AS name
FROM entities
WHERE kind = 'official' AND :mailbox IN (state ->> 'mailbox', corrected ->> 'mailbox')
ORDER BY id

-- name: corrections_kept
SELECT official, wish, overlay, before, state, said_by_kind, said_by, said_at, confirmed_at, settled_by, settled_at
FROM corrections
WHERE official = ANY(:ids::text[])
   OR (:alone AND strpos(lower(concat_ws(' ', overlay::text, before::text)), lower(:address)) > 0)
ORDER BY number

-- name: memberships_kept
SELECT id, state FROM entities
WHERE kind = 'membership' AND state ->> 'kind' = 'official' AND state ->> 'member' = ANY(:ids::text[])
ORDER BY id

-- name: divisions_kept
SELECT id, state FROM entities
WHERE kind = 'division' AND :alone AND lower(state ->> 'manager_email') = lower(:address)
ORDER BY id

-- name: partners_kept
-- Organisations of which the address is one of the people's.
SELECT id, state FROM entities
WHERE kind = 'partner' AND :alone AND strpos(lower(state::text), lower(:address)) > 0
ORDER BY id

-- name: uploads_kept
-- Files that staff brought in which the address stands, or of which a report says it.
SELECT u.id, u.kind, u.made_at
FROM uploads AS u
WHERE strpos(lower(u.report::text), lower(:address)) > 0
   OR EXISTS (
       SELECT FROM upload_parts AS p
       WHERE p.upload = u.id
         AND strpos(lower(encode(p.content, 'escape')), lower(encode(convert_to(:address, 'UTF8'), 'escape'))) > 0)
ORDER BY u.made_at

-- name: forget_uploads
DELETE FROM uploads WHERE id = ANY(:ids::text[]) RETURNING id

-- name: forget_corrections
-- Those that were asked for, or are over, and say the address of somebody else's entry.
DELETE FROM corrections
WHERE :alone AND strpos(lower(concat_ws(' ', overlay::text, before::text)), lower(:address)) > 0
RETURNING id

-- name: forget_entities
-- With the corrections, and what they are found by.
DELETE FROM entities
WHERE (kind = 'official' AND id = ANY(:ids::text[]))
   OR (kind = 'membership' AND state ->> 'kind' = 'official' AND state ->> 'member' = ANY(:ids::text[]))
RETURNING kind, id

-- name: forget_named_members!
UPDATE entities
SET state = jsonb_set(
    state, '{stated_members,official}', (state #> '{stated_members,official}') - :ids::text[])
WHERE kind = 'group' AND state #> '{stated_members,official}' ?| :ids::text[]

-- name: forget_managers!
WITH gone AS (
    UPDATE entities
    SET state = state || '{"manager_name": null, "manager_email": null, "manager_phone": null}', revision = revision + 1,
        changed_at = :at
    WHERE kind = 'division' AND id = ANY(:ids::text[])
    RETURNING kind, id
)
INSERT INTO altered (kind, id) SELECT kind, id FROM gone

-- name: describe_partner!
WITH described AS (
    UPDATE entities SET state = :state, revision = revision + 1, changed_at = :at
    WHERE kind = 'partner' AND id = :id
    RETURNING kind, id
)
INSERT INTO altered (kind, id) SELECT kind, id FROM described

-- name: hold_back!
INSERT INTO erased (who, erased_at)
SELECT who, :at
FROM (
    SELECT unnamed(id, key) AS who FROM unnest(:ids::text[]) AS gone (id) CROSS JOIN clarion.mailbox_key
    UNION SELECT :mailbox WHERE :alone
) AS gone
ORDER BY who
ON CONFLICT (who) DO NOTHING

-- name: let_in
DELETE FROM erased
WHERE who = :mailbox
   OR who IN (SELECT unnamed(id, key) FROM unnest(:ids::text[]) AS again (id) CROSS JOIN clarion.mailbox_key)
RETURNING who

-- name: drop_erased
-- Lines that name somebody who was erased, by address or by id.
DELETE FROM incoming
USING clarion.mailbox_key
WHERE state IS NOT NULL AND EXISTS (SELECT FROM erased)
  AND (state ->> 'mailbox' IN (SELECT who FROM erased) OR unnamed(id, key) IN (SELECT who FROM erased))
RETURNING id, file, line
