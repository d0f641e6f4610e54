-- The processes that run, and how they are doing by their own word, renewed every few seconds.
CREATE TABLE clarion.processes (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    services text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    report jsonb NOT NULL
);
