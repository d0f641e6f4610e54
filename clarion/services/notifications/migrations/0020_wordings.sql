-- Wordings that staff wrote, each state of them all an edition: numbers go up in the order in which they were committed.
-- Without a version a wording was only tried out, without a body it is the project's own. `made_by` is an account's id, or
-- the name of whoever gives commands.
CREATE TABLE wordings (
    edition bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    template text NOT NULL,
    version integer,
    subject text,
    body text,
    note text NOT NULL,
    restores integer,
    made_by_kind text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    UNIQUE (template, version)
);

-- The newest edition when the content was asked for; 0, also from code that knows no wordings, is the project's own.
ALTER TABLE contents ADD COLUMN edition bigint NOT NULL DEFAULT 0;

-- Contents whose wording made no mail of them, so that they were told in the project's.
CREATE TABLE wording_fallbacks (
    content_id bigint NOT NULL,
    template text NOT NULL,
    edition bigint NOT NULL,
    reason text NOT NULL,
    noted_at timestamptz NOT NULL,
    PRIMARY KEY (content_id, template)
);

CREATE INDEX wording_fallbacks_edition ON wording_fallbacks (edition, noted_at);
