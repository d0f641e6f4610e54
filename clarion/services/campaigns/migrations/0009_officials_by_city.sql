-- migrate: no-transaction
-- officials_by_mailbox finds all that it did.
DROP INDEX CONCURRENTLY IF EXISTS officials_by_city;
