-- The trace to which work belongs that is done later, and not by who asked for it; written only where traces are.
CREATE TABLE traces (
    subject text PRIMARY KEY,
    traceparent text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX traces_at ON traces (at);
