-- The key of mailboxes is the installation's (clarion.mailbox_key); the release before still looks here.
INSERT INTO mailbox_key (key) SELECT key FROM clarion.mailbox_key ON CONFLICT DO NOTHING;
