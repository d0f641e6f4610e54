-- Whom a mail named, where that is not everyone it was asked for: who joins a mailbox that was told gets the call alone.
ALTER TABLE ledger ADD COLUMN named text[];
