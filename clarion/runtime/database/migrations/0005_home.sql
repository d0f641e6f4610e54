-- Where this database lives: the server's own number and the database's in it. A copy of it, restored elsewhere, does not
-- know what went out since it was made. `taking_up_since` is when somebody began to settle that.
CREATE TABLE clarion.home (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    system bigint NOT NULL,
    database oid NOT NULL,
    known_at timestamptz NOT NULL DEFAULT now(),
    taking_up_since timestamptz
);
