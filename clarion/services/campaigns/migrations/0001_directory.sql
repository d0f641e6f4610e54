-- What campaigns needs of the directory: the newest state of each entity, guarded by its revision.

CREATE TABLE divisions (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    active boolean NOT NULL,
    name text NOT NULL,
    manager_name text,
    manager_email text,
    manager_phone text
);

CREATE TABLE cities (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    active boolean NOT NULL,
    name text NOT NULL,
    division text,
    member boolean NOT NULL
);

CREATE TABLE districts (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    active boolean NOT NULL,
    chamber text NOT NULL,
    number text NOT NULL
);

CREATE TABLE city_districts (
    district text NOT NULL REFERENCES districts ON DELETE CASCADE,
    city text NOT NULL,
    share double precision NOT NULL,
    PRIMARY KEY (district, city)
);

CREATE TABLE legislators (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    active boolean NOT NULL,
    name text NOT NULL,
    family_name text,
    chamber text NOT NULL,
    district text NOT NULL
);

CREATE TABLE committees (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    active boolean NOT NULL,
    name text NOT NULL,
    chamber text NOT NULL,
    jurisdiction text,
    -- the name and the other names as they are compared
    name_keys text[] NOT NULL,
    phone text
);

CREATE INDEX committees_by_name ON committees USING gin (name_keys);

CREATE TABLE committee_members (
    committee text NOT NULL REFERENCES committees ON DELETE CASCADE,
    legislator text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    chamber text NOT NULL,
    district text NOT NULL,
    PRIMARY KEY (committee, legislator)
);

CREATE TABLE officials (
    id text PRIMARY KEY,
    revision bigint NOT NULL,
    active boolean NOT NULL,
    city text NOT NULL,
    -- roles as they are compared
    role_keys text[] NOT NULL,
    mailbox text NOT NULL,
    -- the arithmetic of schemas.topics.bucket
    bucket smallint NOT NULL GENERATED ALWAYS AS ((('x' || substr(mailbox, 1, 8))::bit(32)::bigint % 24)::smallint) STORED,
    testifies boolean NOT NULL
);

CREATE INDEX officials_by_city ON officials (city, bucket);

CREATE TABLE import_markers (
    kind text PRIMARY KEY,
    import_id text NOT NULL,
    completed_at timestamptz NOT NULL
);
