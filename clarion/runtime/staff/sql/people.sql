-- name: account_kept^
SELECT a.id, a.email, a.name, a.role, a.added_at, a.removed_at,
       array(SELECT d.division FROM clarion.staff_divisions AS d WHERE d.staff_id = a.id ORDER BY d.division) AS divisions
FROM clarion.staff AS a
WHERE a.email = lower(:address)

-- name: sessions_kept
SELECT made_at, seen_at, ends_at, address, agent, method FROM clarion.sessions WHERE staff_id = :staff_id ORDER BY made_at

-- name: sign_ins_kept
SELECT asked_at, ends_at, used_at FROM clarion.sign_ins WHERE staff_id = :staff_id ORDER BY asked_at

-- name: acts_kept
-- What they did, and what was done that concerns them.
SELECT at, actor_kind, act, subject, details, divisions,
       CASE WHEN actor_kind = 'staff' AND actor_id = :staff_id OR actor_kind = 'person' THEN place END AS place
FROM clarion.audit
WHERE (actor_kind = 'staff' AND actor_id = :staff_id) OR (:alone AND mailbox = :mailbox) OR subject = ANY(:subjects::text[])
ORDER BY at, id

-- name: forget_account!
WITH sessions_gone AS (
    DELETE FROM clarion.sessions WHERE staff_id = :staff_id
), sign_ins_gone AS (
    DELETE FROM clarion.sign_ins WHERE staff_id = :staff_id
), divisions_gone AS (
    DELETE FROM clarion.staff_divisions WHERE staff_id = :staff_id
)
UPDATE clarion.staff SET email = 'erased:' || id, name = 'erased' WHERE id = :staff_id

-- name: make_acts_nobodys
-- What was done stays; that it was this person's, or concerned them, does not.
UPDATE clarion.audit
SET actor_name = CASE WHEN theirs THEN 'erased' ELSE actor_name END,
    actor_id = CASE WHEN theirs AND actor_kind = 'person' THEN 'erased' ELSE actor_id END,
    place = CASE WHEN theirs THEN '' ELSE place END,
    details = CASE WHEN about_them THEN '{}' ELSE details END,
    subject = CASE WHEN about_them THEN split_part(subject, ':', 1) || ':erased' ELSE subject END,
    mailbox = CASE WHEN about_them THEN NULL ELSE mailbox END
FROM (
    SELECT id AS act_id,
           (actor_kind = 'staff' AND actor_id = :staff_id)
               OR (actor_kind = 'person' AND (subject = ANY(:subjects::text[]) OR (:alone AND mailbox = :mailbox))) AS theirs,
           subject = ANY(:subjects::text[]) OR (:alone AND mailbox = :mailbox) IS TRUE AS about_them
    FROM clarion.audit
) AS found
WHERE found.act_id = audit.id AND (theirs OR about_them)
RETURNING audit.id

-- name: open_erasure^
SELECT id, who, counts FROM clarion.erasures WHERE mailbox = :mailbox AND done_at IS NULL

-- name: begin_erasure!
INSERT INTO clarion.erasures (id, mailbox, who, asked_by, asked_at) VALUES (:id, :mailbox, :who, :asked_by, :now)

-- name: note_erased!
UPDATE clarion.erasures SET counts = counts || :counts::jsonb WHERE id = :id

-- name: end_erasure!
UPDATE clarion.erasures SET mailbox = NULL, who = NULL, done_at = :now WHERE id = :id
