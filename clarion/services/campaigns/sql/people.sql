-- name: officials_kept
SELECT id, city, role_keys AS roles, mailbox, testifies, active
FROM officials WHERE mailbox = :mailbox AND (:alone OR id = ANY(:ids::text[])) ORDER BY id

-- name: calls_kept
-- With the reasons, which are those of the official's city.
SELECT k.campaign, c.title, k.official, k.city, k.division, k.letter, k.phone, k.testimony, k.asked_at, k.outcome, k.outcome_at,
       k.ended_at, a.reasons
FROM calls AS k
LEFT JOIN campaigns AS c ON c.id = k.campaign
LEFT JOIN campaign_cities AS a ON a.campaign = k.campaign AND a.city = k.city
WHERE k.official = ANY(:ids::text[]) OR (:alone AND k.mailbox = :mailbox)
ORDER BY k.asked_at, k.campaign, k.official

-- name: choices_kept
-- Where the official was left out, or added by hand.
SELECT campaign, official, included, asks, reason, chosen_at FROM choices
WHERE official = ANY(:ids::text[]) ORDER BY chosen_at, campaign

-- name: audiences_kept
-- Where the official is asked as a person, and not only as one of a city.
SELECT campaign, official, writes, reasons FROM campaign_people WHERE official = ANY(:ids::text[]) ORDER BY campaign

-- name: divisions_kept
SELECT id, name, manager_name, manager_email, manager_phone
FROM divisions WHERE :alone AND lower(manager_email) = lower(:address) ORDER BY id

-- name: forget_officials_kept
DELETE FROM officials WHERE mailbox = :mailbox AND (:alone OR id = ANY(:ids::text[])) RETURNING id

-- name: forget_manager
UPDATE divisions SET manager_name = NULL, manager_email = NULL, manager_phone = NULL
WHERE :alone AND lower(manager_email) = lower(:address)
RETURNING id

-- name: make_calls_nobodys
-- The call stays and counts; whom it asked nobody can tell.
UPDATE calls
SET official = 'erased:' || gen_random_uuid(), mailbox = md5(gen_random_uuid()::text)
WHERE official = ANY(:ids::text[]) OR (:alone AND mailbox = :mailbox)
RETURNING campaign

-- name: make_threads_nobodys
-- Another mailbox of the same bucket: its first eight digits are the bucket's number.
UPDATE threads
SET mailbox = lpad(to_hex(bucket::integer), 8, '0') || substr(md5(gen_random_uuid()::text), 1, 24), standing = false
WHERE :alone AND mailbox = :mailbox
RETURNING campaign

-- name: forget_choices
DELETE FROM choices WHERE official = ANY(:ids::text[]) RETURNING campaign

-- name: forget_audiences
DELETE FROM campaign_people WHERE official = ANY(:ids::text[]) RETURNING campaign

-- name: forget_names_in_audiences
-- Who was chosen by hand when a campaign was started.
UPDATE hearings SET alert = jsonb_set(alert, '{audience,officials}', (alert -> 'audience' -> 'officials') - :ids::text[])
WHERE alert -> 'audience' -> 'officials' ?| :ids::text[]
RETURNING id

-- name: forget_memberships
DELETE FROM memberships WHERE member_kind = 'official' AND member = ANY(:ids::text[]) RETURNING number
