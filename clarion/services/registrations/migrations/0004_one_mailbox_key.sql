-- The key of mailboxes is the installation's (clarion.mailbox_key), so whoever registered has the mailbox of their address
-- there. Of a cancellation that came before its request nobody knows the address, so it stays as it is.
UPDATE registrations
SET mailbox = clarion.mailbox(email)
WHERE EXISTS (SELECT FROM mailbox_key JOIN clarion.mailbox_key AS ours ON mailbox_key.key <> ours.key);

-- The release before still looks here.
INSERT INTO mailbox_key (key) SELECT key FROM clarion.mailbox_key
ON CONFLICT (only_one) DO UPDATE SET key = excluded.key;
