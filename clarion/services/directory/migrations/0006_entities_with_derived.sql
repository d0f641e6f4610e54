-- migrate: no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS entities_with_derived ON entities (kind, id) WHERE derived <> '{}';
