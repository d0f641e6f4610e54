-- name: waiting_by_lane
-- What waits, from the index of waiting messages alone: no more than so many of a lane are counted.
SELECT wanted.lane, waiting.state, count(*) AS messages
FROM unnest(:lanes::smallint[]) AS wanted (lane)
CROSS JOIN LATERAL (
    SELECT l.state
    FROM ledger AS l
    WHERE l.lane = wanted.lane AND l.state IN ('queued', 'deferred', 'uncertain')
    LIMIT :at_most
) AS waiting
GROUP BY wanted.lane, waiting.state
ORDER BY wanted.lane, waiting.state

-- name: oldest_due_by_lane
-- The message that has been due for longest; what is put aside for a pause is due in no time.
SELECT wanted.lane, first.due_at
FROM unnest(:lanes::smallint[]) AS wanted (lane)
CROSS JOIN LATERAL (
    SELECT l.due_at
    FROM ledger AS l
    WHERE l.lane = wanted.lane AND l.state IN ('queued', 'deferred', 'uncertain') AND l.due_at <= :now
    ORDER BY l.due_at
    LIMIT 1
) AS first
ORDER BY wanted.lane

-- name: open_pauses
SELECT matter, wave, changed_at FROM pauses WHERE paused ORDER BY changed_at DESC, matter, wave LIMIT :at_most

-- name: held_back^
SELECT (SELECT count(*) FROM breakers WHERE domain <> '') AS domains,
       (SELECT count(*) FROM breakers WHERE domain = '') AS relays,
       (SELECT count(*) FROM pauses WHERE paused) AS pauses,
       (SELECT count(*) FROM workers WHERE lease_until > now()) AS senders,
       (SELECT coalesce(sum(cardinality(held)), 0) FROM workers)::float8 AS in_hand,
       (SELECT coalesce(sum(cardinality(thread_ids)), 0) FROM rounds)::float8 AS under_way
