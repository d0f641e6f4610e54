-- name: events_with_early
SELECT id FROM unnest(:event_ids::text[]) AS given (id)
WHERE EXISTS (SELECT FROM early_cancellations WHERE event_id = id)

-- name: find_early
SELECT event_id, what, said_at
FROM early_cancellations
WHERE event_id = ANY(:event_ids::text[]) AND what = ANY(:whats::text[])

-- name: keep_early!
INSERT INTO early_cancellations (event_id, what, said_at)
SELECT :event_id, what, said_at
FROM unnest(:whats::text[], :said_ats::timestamptz[]) AS given (what, said_at)
ORDER BY what
ON CONFLICT (event_id, what) DO UPDATE SET said_at = greatest(early_cancellations.said_at, excluded.said_at)
