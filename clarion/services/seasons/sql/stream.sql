-- name: statements_heard$
-- How many statements have been heard; what some of them withdraw may yet wait.
SELECT count(*) FROM history WHERE outcome <> 'received';

-- name: hearings_known
-- The newest state of each hearing, as it was published.
SELECT state FROM hearings;

-- name: hearings_told
-- The newest state of each hearing that campaigns were told of, and what its campaign says of it.
SELECT h.alert AS state, c.held, c.bills FROM hearings AS h LEFT JOIN campaigns AS c ON c.hearing = h.id;
