-- name: create_tables#
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS mail (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT,
    thread TEXT,
    revision INTEGER,
    content BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS recipient (
    mail_id INTEGER NOT NULL REFERENCES mail (id),
    address TEXT NOT NULL COLLATE NOCASE
);
CREATE INDEX IF NOT EXISTS recipient_by_address ON recipient (address, mail_id);

-- name: insert_mail<!
INSERT INTO mail (received_at, sender, recipients, subject, message_id, thread, revision, content)
VALUES (:received_at, :sender, :recipients, :subject, :message_id, :thread, :revision, :content);

-- name: insert_recipients*!
INSERT INTO recipient (mail_id, address) VALUES (:mail_id, :address);

-- name: count_mails$
SELECT count(*) FROM mail;

-- name: list_mails
-- Newest first, without the content.
SELECT id, received_at, sender, recipients, subject, message_id, thread, revision
FROM mail
WHERE (:before_id IS NULL OR id < :before_id)
  AND (:address IS NULL OR id IN (SELECT mail_id FROM recipient WHERE address = :address))
  AND (
      :query IS NULL
      OR instr(
          lower(
              subject || ' ' || sender || ' ' || recipients || ' '
              || coalesce(message_id, '') || ' ' || coalesce(thread, '')
          ),
          lower(:query)
      ) > 0
  )
ORDER BY id DESC
LIMIT :limit OFFSET :offset;

-- name: get_mail^
SELECT id, received_at, sender, recipients, subject, message_id, thread, revision, content
FROM mail WHERE id = :id;

-- name: clear_recipients!
DELETE FROM recipient;

-- name: clear_mails!
DELETE FROM mail;
