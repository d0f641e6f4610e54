-- The rows of a round as the planner is to see them: fewer than any table holds. So it goes from them to the tables by
-- their keys, whatever it knows of the tables when a sender's plan is made. VOLATILE keeps it from looking inside.
CREATE FUNCTION few(given jsonb) RETURNS SETOF jsonb LANGUAGE sql VOLATILE ROWS 1 AS $$
    SELECT jsonb_array_elements(given)
$$;
