-- name: record_act!
INSERT INTO clarion.audit (at, actor_kind, actor_id, actor_name, place, act, subject, details, divisions, mailbox)
VALUES (:at, :actor_kind, :actor_id, :actor_name, :place, :act, :subject, :details, :divisions, :mailbox)
