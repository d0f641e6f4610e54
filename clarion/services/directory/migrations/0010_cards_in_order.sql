-- A group may have a hundred thousand members: they are put in order by their cards, and only those shown are looked up.
ALTER TABLE cards ADD COLUMN name text, ADD COLUMN leads text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN cards.leads IS 'the groups in which it has another role than member';
INSERT INTO cards_to_write (kind, id) SELECT kind, id FROM entities;
