-- Replays that somebody asked for, so that one that was killed goes on where it was. `progress` has for each service the
-- last row of its outbox that the broker took and how many those were, and for each hook how much it enqueued.
CREATE TABLE clarion.replays (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked jsonb NOT NULL,
    cluster_id text NOT NULL,
    progress jsonb NOT NULL DEFAULT '{}',
    started_at timestamptz NOT NULL DEFAULT now(),
    progressed_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
