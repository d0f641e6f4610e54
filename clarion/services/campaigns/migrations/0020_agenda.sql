-- The Action Agenda: priorities with the days on which they hold, the last one included. Each change is a version.
CREATE TABLE priorities (
    slug text NOT NULL,
    version integer NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    place integer NOT NULL,
    from_day date NOT NULL,
    until_day date,
    adopted_by text,
    adopted_on date,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (slug, version),
    CHECK (until_day >= from_day)
);
