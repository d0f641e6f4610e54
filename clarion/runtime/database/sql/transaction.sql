-- name: notify!
SELECT pg_notify(channel, '') FROM unnest(:channels::text[]) AS channel
