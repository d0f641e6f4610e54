ALTER TABLE history VALIDATE CONSTRAINT history_outcome_check;
