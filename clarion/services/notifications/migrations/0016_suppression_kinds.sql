-- Why a mailbox is suppressed, in a word that can be counted and listed by; `reason` is for people. What was suppressed before
-- was either a dead mailbox, as the relay's refusal says, or done by hand.
ALTER TABLE suppressions ADD COLUMN kind text NOT NULL DEFAULT 'hand'
CHECK (kind IN ('hard-bounce', 'complaint', 'hand', 'import', 'erased'));
UPDATE suppressions SET kind = 'hard-bounce' WHERE reason LIKE 'there is no such mailbox%';
