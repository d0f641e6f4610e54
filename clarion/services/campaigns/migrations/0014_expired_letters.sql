-- An ask for letters of it expired unsent: once letters are closed it is asked again as what still helps.
ALTER TABLE campaigns ADD COLUMN letters_expired boolean NOT NULL DEFAULT false;
