-- name: list_acts
-- Newest first. Who may not read everything reads what concerns their divisions or themselves, and what they did.
SELECT id, at, actor_kind, actor_id, actor_name, place, act, subject, details, divisions,
       coalesce((SELECT name FROM clarion.staff WHERE 'staff:' || staff.id = subject),
                (SELECT name FROM clarion.api_keys WHERE 'key:' || api_keys.id = subject)) AS subject_name
FROM clarion.audit
WHERE (:divisions::text[] IS NULL OR divisions && :divisions::text[] OR (actor_kind = 'staff' AND actor_id = :reader)
       OR subject = 'staff:' || :reader)
  AND (:who::text IS NULL OR actor_id = :who OR position(lower(:who) IN lower(actor_name)) > 0)
  AND (:kind::text IS NULL OR actor_kind = :kind)
  AND (:act::text IS NULL OR act = :act OR starts_with(act, :act || '.'))
  AND (:subject::text IS NULL OR subject = :subject OR starts_with(subject, :subject || ':'))
  AND (:since::timestamptz IS NULL OR at >= :since)
  AND (:before::bigint IS NULL OR id < :before)
ORDER BY id DESC
LIMIT :at_most

-- name: list_acts_on_mailbox
SELECT id, at, actor_kind, actor_id, actor_name, place, act, subject, details, divisions, NULL AS subject_name
FROM clarion.audit
WHERE mailbox = :mailbox
ORDER BY id DESC
LIMIT :at_most

-- name: purge_audit$
SELECT clarion.purge_audit(:days, :room)
