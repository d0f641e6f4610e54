-- Into which state a message went, when and why.
CREATE TYPE move AS (state text, at timestamptz, reason text);

-- A row that was moved before this column was there, or by older code, lacks those moves.
ALTER TABLE ledger ADD COLUMN moves move[] NOT NULL DEFAULT '{}';

-- How a message that was in doubt waits and ends; the same as waiting_as and ending_as of the domain.
CREATE FUNCTION waiting_as(wanted text, doubts integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN doubts > 0 THEN 'uncertain' ELSE wanted END
$$;

CREATE FUNCTION ending_as(wanted text, doubts integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN doubts > 0 AND wanted <> 'sent' THEN 'unknown' ELSE wanted END
$$;

-- What a move leaves in a row. Sixty moves are kept: the first twenty and the last forty, so that a relay which is away
-- for days does not fill the ledger; `claim` still counts how often the message was taken.
CREATE FUNCTION moved(so_far move[], wanted text, moved_at timestamptz, why text)
RETURNS TABLE (state text, state_at timestamptz, reason text, moves move[]) LANGUAGE sql IMMUTABLE AS $$
    SELECT wanted, moved_at, why,
           CASE WHEN cardinality(so_far) < 60 THEN so_far ELSE so_far[:20] || so_far[22:] END
               || ROW(wanted, moved_at, why)::move
$$;
