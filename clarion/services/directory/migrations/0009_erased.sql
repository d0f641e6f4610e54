-- Whom an import may not bring back: the mailbox of who was erased, and the keyed hash of an official's id. No more is kept.
CREATE TABLE erased (
    who text PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

-- An official's id as it is remembered of who was erased.
CREATE FUNCTION unnamed(official text) RETURNS text LANGUAGE sql STABLE
RETURN (
    SELECT encode(sha256(convert_to(key || ':official:' || official, 'UTF8')), 'hex') FROM clarion.mailbox_key
);
