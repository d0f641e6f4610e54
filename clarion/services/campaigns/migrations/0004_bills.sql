-- The newest state of each bill that legislation told of.
CREATE TABLE bills (
    jurisdiction text NOT NULL,
    session text NOT NULL,
    bill_key text NOT NULL,
    revision bigint NOT NULL,
    state jsonb NOT NULL,
    PRIMARY KEY (jurisdiction, session, bill_key)
);
