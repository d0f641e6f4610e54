-- Hearings ahead to be decided on again, a few at a time: what follows from a position or an import may concern hundreds.
-- Nobody is asked for a campaign whose hearing stands here.
CREATE TABLE reconsiderations (
    hearing text PRIMARY KEY REFERENCES hearings ON DELETE CASCADE
);
