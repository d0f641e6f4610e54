-- Who confirmed an upload is who imports it: the record of acts names their account and from where they did it.
ALTER TABLE uploads ADD COLUMN confirmer text, ADD COLUMN confirmed_from text;
