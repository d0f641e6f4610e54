-- A thread's id is made of its matter and its mailbox, so that whoever is asked for again is found. Threads whose mailbox got
-- another key kept their id: they get the one that goes with it.
CREATE TEMPORARY TABLE moved_threads ON COMMIT DROP AS
SELECT threads.id AS before, made.id
FROM threads
CROSS JOIN LATERAL (
    SELECT encode(substr(sha256(convert_to(matter || E'\n' || mailbox, 'UTF8')), 1, 16), 'hex')::uuid AS id
) AS made
WHERE threads.id <> made.id;

UPDATE threads SET id = moved_threads.id FROM moved_threads WHERE threads.id = moved_threads.before;
UPDATE ledger SET thread_id = moved_threads.id FROM moved_threads WHERE ledger.thread_id = moved_threads.before;
