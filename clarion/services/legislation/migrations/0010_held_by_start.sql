-- By this one is found that may be the same as another at that start; null in rows of the release before.
ALTER TABLE held ADD COLUMN starts text;
