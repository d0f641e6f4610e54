-- migrate: no-transaction
-- Of half a million officials, those whose line names a group.
CREATE INDEX CONCURRENTLY IF NOT EXISTS entities_naming_groups ON entities (id)
WHERE kind = 'official' AND state -> 'groups' <> '[]';
