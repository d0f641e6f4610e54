-- name: chaos_matter$
SELECT 'campaign:' || id FROM campaigns WHERE hearing = :hearing

-- name: chaos_open^
-- How many messages of a matter there are, and how many of them are not at their end.
SELECT count(*) AS messages, count(*) FILTER (WHERE NOT state = ANY(:final)) AS waiting
FROM ledger WHERE matter = :matter

-- name: chaos_messages
SELECT thread_id, revision, state, doubts FROM ledger WHERE matter = :matter

-- name: chaos_reported$
SELECT count(DISTINCT mailbox) FROM calls WHERE 'campaign:' || campaign = :matter AND outcome IS NOT NULL
