-- A name as it is looked for: small letters without accents, words parted by one space.
CREATE FUNCTION folded(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trim(regexp_replace(
    regexp_replace(lower(normalize(name, NFKD)), '[\u0300-\u036f''\u2019]', '', 'g'),
    '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf]+', ' ', 'g'
));

-- The words an entity is found by. Of a city's Open Civic Data id the last part is its name, with ~ for an enye.
CREATE FUNCTION words(body jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN array_to_tsvector(array_remove(string_to_array(folded(concat_ws(
    ' ', body ->> 'name', body ->> 'roles', body ->> 'county', body ->> 'other_names',
    translate(substring(body ->> 'city' FROM '[^:/]*$'), '~', 'n')
)), ' '), ''));

-- What finds entities all of whose words begin as these do; null for a text without words.
CREATE FUNCTION sought(wanted text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT string_agg('''' || word || ''':*', ' & ')::tsquery
    FROM unnest(string_to_array(folded(wanted), ' ')) AS word
    WHERE word <> ''
);

-- What an entity is found by, brought up to date right behind imports: keeping such indexes within an import would make it
-- three times as long.
CREATE TABLE cards (
    kind text NOT NULL,
    id text NOT NULL,
    active boolean NOT NULL,
    words tsvector NOT NULL,
    city text,
    mailbox text,
    groups text[] NOT NULL,
    can_be_asked boolean NOT NULL,
    PRIMARY KEY (kind, id),
    FOREIGN KEY (kind, id) REFERENCES entities (kind, id) ON DELETE CASCADE
);
COMMENT ON COLUMN cards.can_be_asked IS 'an official of whom a letter or testimony is asked';
CREATE INDEX cards_by_words_of_officials ON cards USING gin (words) WHERE kind = 'official';
CREATE INDEX cards_by_words_of_others ON cards USING gin (words) WHERE kind <> 'official';
CREATE INDEX cards_by_city ON cards (city) INCLUDE (active, can_be_asked) WHERE kind = 'official';
CREATE INDEX cards_by_group ON cards USING gin (groups) WHERE groups <> '{}';
CREATE INDEX cards_by_mailbox ON cards (mailbox) WHERE kind = 'official';

CREATE TABLE cards_to_write (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    id text NOT NULL
);

CREATE FUNCTION note_cards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO directory.cards_to_write (kind, id) SELECT kind, id FROM altered_rows;
    PERFORM pg_notify('clarion_directory_cards', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER cards_of_new AFTER INSERT ON entities
REFERENCING NEW TABLE AS altered_rows FOR EACH STATEMENT EXECUTE FUNCTION note_cards();
CREATE TRIGGER cards_of_changed AFTER UPDATE ON entities
REFERENCING NEW TABLE AS altered_rows FOR EACH STATEMENT EXECUTE FUNCTION note_cards();

INSERT INTO cards_to_write (kind, id) SELECT kind, id FROM entities;
