-- What was decided and is not told yet: a row per batch and event, gone in the transaction that tells it.
-- The rows of an event are made under its lock, so their ids have the order in which they were decided.
CREATE TABLE tellings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL,
    status text NOT NULL,
    revision integer NOT NULL,
    description jsonb NOT NULL,
    said text,
    announced text,
    answers json NOT NULL,
    decided_at timestamptz NOT NULL
);
COMMENT ON COLUMN tellings.description IS 'the event as it was when this was decided; said is why it was cancelled';
COMMENT ON COLUMN tellings.announced IS 'what became of the event itself, before these answers: moved or cancelled';
