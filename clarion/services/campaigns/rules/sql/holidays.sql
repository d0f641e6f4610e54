-- name: current_holidays
-- The newest version of each day that the installation added or took out.
SELECT DISTINCT ON (day) day, version, name, source, checked_on, made_by, made_at
FROM legislative_holidays WHERE jurisdiction = :jurisdiction ORDER BY day, version DESC;

-- name: current_holiday_years
SELECT DISTINCT ON (year) year, version, whole, source, checked_on, made_by, made_at
FROM holiday_years WHERE jurisdiction = :jurisdiction ORDER BY year, version DESC;

-- name: insert_holiday!
INSERT INTO legislative_holidays (jurisdiction, day, version, name, source, checked_on, made_by, made_at)
SELECT :jurisdiction, :day, coalesce(max(version), 0) + 1, :name, :source, :checked_on, :made_by, :now
FROM legislative_holidays WHERE jurisdiction = :jurisdiction AND day = :day;

-- name: insert_holiday_year!
INSERT INTO holiday_years (jurisdiction, year, version, whole, source, checked_on, made_by, made_at)
SELECT :jurisdiction, :year, coalesce(max(version), 0) + 1, :whole, :source, :checked_on, :made_by, :now
FROM holiday_years WHERE jurisdiction = :jurisdiction AND year = :year;
