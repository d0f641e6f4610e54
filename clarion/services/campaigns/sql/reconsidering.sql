-- name: put_off_hearings_with_bill
-- The hearings ahead on whose agenda it is: the first `at_once` are given, the others put off. Each row says how many.
WITH found AS (
    SELECT h.id, row_number() OVER (ORDER BY h.ends_at, h.id) AS place, count(*) OVER () AS hearings
    FROM hearings AS h JOIN hearing_bills AS b ON b.hearing = h.id
    WHERE b.bill_key = :bill_key AND h.jurisdiction = :jurisdiction AND :session IN (h.session, '') AND h.ends_at > :now
), put_off AS (
    INSERT INTO reconsiderations (hearing) SELECT id FROM found WHERE place > :at_once::bigint ON CONFLICT DO NOTHING
)
SELECT h.alert, f.hearings - :at_once::bigint AS put_off FROM found AS f JOIN hearings AS h USING (id)
WHERE f.place <= :at_once::bigint
ORDER BY f.place;

-- name: put_off_hearings_not_launched
-- Those ahead with a position on the agenda, or with an ask of their own: the first `at_once` are given, the others put
-- off.
WITH found AS (
    SELECT h.id, row_number() OVER (ORDER BY h.ends_at, h.id) AS place
    FROM hearings AS h
    WHERE h.ends_at > :now
      AND NOT EXISTS (SELECT FROM campaigns AS c WHERE c.hearing = h.id AND c.launched_at IS NOT NULL)
      AND (coalesce(jsonb_array_length(h.alert -> 'own'), 0) > 0
           OR EXISTS (
               SELECT FROM hearing_bills AS b
               JOIN positions AS p
                   ON p.jurisdiction = h.jurisdiction AND p.session IN (h.session, '') AND p.bill_key = b.bill_key
               WHERE b.hearing = h.id))
), put_off AS (
    INSERT INTO reconsiderations (hearing) SELECT id FROM found WHERE place > :at_once::bigint ON CONFLICT DO NOTHING
)
SELECT h.alert FROM found AS f JOIN hearings AS h USING (id)
WHERE f.place <= :at_once::bigint
ORDER BY f.place;

-- name: any_waits_for_directory$
-- Other than those that are looked at again already.
SELECT EXISTS (
    SELECT FROM campaigns AS c
    WHERE c.status <> 'closed' AND c.waits_for_directory AND c.ends_at > :now AND NOT c.reconsider
      AND NOT EXISTS (SELECT FROM reconsiderations AS r WHERE r.hearing = c.hearing));

-- name: mark_launched!
-- Those that are open and in time; `waiting` for those alone that waited for the rest of the directory.
UPDATE campaigns SET reconsider = true
WHERE launched_at IS NOT NULL AND status = 'launched' AND ends_at > :now AND (waits_for_directory OR NOT :waiting::boolean)
  AND NOT reconsider;

-- name: any_ended$
SELECT EXISTS (SELECT FROM campaigns WHERE status <> 'closed' AND ends_at <= :now);

-- name: any_to_reconsider$
SELECT EXISTS (SELECT FROM reconsiderations) OR EXISTS (SELECT FROM campaigns WHERE reconsider);

-- name: take_put_off
WITH first AS (
    SELECT r.hearing FROM reconsiderations AS r JOIN hearings AS h ON h.id = r.hearing
    ORDER BY h.ends_at, h.id LIMIT :at_most
), taken AS (
    DELETE FROM reconsiderations WHERE hearing IN (SELECT hearing FROM first)
)
SELECT h.alert FROM first JOIN hearings AS h ON h.id = first.hearing ORDER BY h.ends_at, h.id;

-- name: take_launched
UPDATE campaigns AS c SET reconsider = false FROM hearings AS h
WHERE h.id = c.hearing AND c.id IN (SELECT id FROM campaigns WHERE reconsider ORDER BY ends_at, id LIMIT :at_most)
RETURNING h.alert;

-- name: count_put_off$
-- The hearings that are yet to be decided on with this on their agenda.
SELECT count(*) FROM reconsiderations AS r
JOIN hearings AS h ON h.id = r.hearing AND h.jurisdiction = :jurisdiction AND :session IN (h.session, '')
JOIN hearing_bills AS b ON b.hearing = h.id AND b.bill_key = :bill_key;
