-- What became of a letter so far: [{at, what, who, why}, ...], who and why where somebody decided it.
ALTER TABLE dead_letters ADD COLUMN history jsonb NOT NULL DEFAULT '[]';

-- The history with one more entry: the first ten and the last forty are kept.
CREATE FUNCTION noted(so_far jsonb, what text, who text, why text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN jsonb_array_length(so_far) < 50 THEN so_far ELSE so_far - 10 END
        || jsonb_build_object('at', now(), 'what', what, 'who', who, 'why', why)
$$;
