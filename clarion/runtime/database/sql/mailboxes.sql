-- name: mailbox_key$
SELECT key FROM clarion.mailbox_key
