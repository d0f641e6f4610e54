-- Whether the messages of the matter have followed its pause: what is paused is not due, so that no claim passes over it.
ALTER TABLE pauses ADD COLUMN followed boolean NOT NULL DEFAULT false;
