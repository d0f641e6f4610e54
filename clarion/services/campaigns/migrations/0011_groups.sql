-- Groups, and who is in them: an audience is drawn by group and role. A member is an official or a whole city.
CREATE TABLE groups (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    active boolean NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    open_to text
);

CREATE TABLE memberships (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_kind text NOT NULL CHECK (member_kind IN ('official', 'city')),
    member text NOT NULL,
    group_id text NOT NULL,
    -- the role as it is compared
    role_key text NOT NULL,
    since date,
    until date
);
CREATE INDEX memberships_by_member ON memberships (member_kind, member);
CREATE INDEX memberships_by_group ON memberships (group_id, role_key);

ALTER TABLE cities ADD COLUMN member_since date, ADD COLUMN member_until date;
