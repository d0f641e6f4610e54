-- Hearings of which nobody was told yet, since each may prove to be another one of its committee, moved. What it is stands
-- in standings.
CREATE TABLE held (
    hearing_id uuid PRIMARY KEY,
    jurisdiction text NOT NULL,
    aliases text[] NOT NULL,
    committee text NOT NULL,
    bills text[] NOT NULL,
    due_at timestamptz NOT NULL
);
CREATE INDEX held_aliases ON held USING gin (aliases);
CREATE INDEX held_committee ON held (jurisdiction, committee);
CREATE INDEX held_due ON held (due_at);
