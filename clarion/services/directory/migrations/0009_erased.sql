-- Whom an import may not bring back: the mailbox of who was erased, and the keyed hash of an official's id. No more is kept.
CREATE TABLE erased (
    who text PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

-- An official's id as it is remembered of who was erased, by the installation's key of mailboxes. Written so that it is a part
-- of the statement that calls it, for half a million ids at once.
CREATE FUNCTION unnamed(official text, key text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN encode(sha256(convert_to(key || ':official:' || official, 'UTF8')), 'hex');
