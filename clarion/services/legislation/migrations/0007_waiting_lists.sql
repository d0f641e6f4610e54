-- The hearings for which a list waits: it names many, so hearing_id cannot say.
ALTER TABLE history ADD COLUMN waits_for uuid[];

-- Of the lists before nobody can say for which hearings they waited.
UPDATE history
SET outcome = 'recorded', note = concat_ws('; ', note, 'what became of the hearings that it withdrew was not kept')
WHERE outcome = 'waiting' AND type = 'hearing.calendar' AND received_at < now() - interval '1 day';
