-- Days on which a legislature's offices are closed as the installation has them beside the project's table, version by
-- version; the newest of a day holds.
CREATE TABLE legislative_holidays (
    jurisdiction text NOT NULL,
    day date NOT NULL,
    version integer NOT NULL,
    -- null: offices are open on that day, whatever the project's table says
    name text,
    source text,
    checked_on date,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (jurisdiction, day, version)
);

-- Years of which all holidays stand there: past them business days are counted, and that is said, without any.
CREATE TABLE holiday_years (
    jurisdiction text NOT NULL,
    year integer NOT NULL,
    version integer NOT NULL,
    -- false: some of them are not known here, or it was taken back
    whole boolean NOT NULL,
    source text,
    checked_on date,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (jurisdiction, year, version)
);
