-- The entry that goes with a message, and the time that the message is about: who was told of it may be told that it
-- ended until then.
ALTER TABLE contents ADD COLUMN calendar jsonb, ADD COLUMN begins_at timestamptz;

-- The SEQUENCE (RFC 5546) of the entry that went with the mail; none where none did.
ALTER TABLE ledger ADD COLUMN sequence integer;
