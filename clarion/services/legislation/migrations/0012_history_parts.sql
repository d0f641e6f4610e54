-- In how many records an update went out; the first has its id.
ALTER TABLE history ADD COLUMN parts integer;
