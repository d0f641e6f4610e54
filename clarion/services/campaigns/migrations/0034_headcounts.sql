-- How many active officials a city has, by their roles and whether they testify: an audience of whole cities is counted
-- without looking at each of them. `roles` stands for `role_keys`, which may be longer than a key can be.
CREATE TABLE headcounts (
    city text NOT NULL,
    roles uuid NOT NULL,
    testifies boolean NOT NULL,
    role_keys text[] NOT NULL,
    officials integer NOT NULL,
    PRIMARY KEY (city, roles, testifies)
) WITH (fillfactor = 70);

CREATE FUNCTION count_heads() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO headcounts AS h (city, roles, testifies, role_keys, officials)
    SELECT city, md5(role_keys::text)::uuid, testifies, role_keys, count(*) FROM came
    WHERE active
    GROUP BY city, role_keys, testifies ORDER BY 1, 2, 3
    ON CONFLICT (city, roles, testifies) DO UPDATE SET officials = h.officials + excluded.officials;
    RETURN NULL;
END $$;

CREATE FUNCTION count_heads_again() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO headcounts AS h (city, roles, testifies, role_keys, officials)
    SELECT city, md5(role_keys::text)::uuid, testifies, role_keys, sum(one) FROM (
        SELECT city, testifies, role_keys, 1 AS one FROM came WHERE active
        UNION ALL
        SELECT city, testifies, role_keys, -1 FROM went WHERE active
    ) AS heads
    GROUP BY city, role_keys, testifies HAVING sum(one) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (city, roles, testifies) DO UPDATE SET officials = h.officials + excluded.officials;
    RETURN NULL;
END $$;

CREATE FUNCTION count_heads_off() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE headcounts AS h SET officials = h.officials - gone.officials
    FROM (
        SELECT city, role_keys, testifies, count(*) AS officials FROM went
        WHERE active
        GROUP BY city, role_keys, testifies
    ) AS gone
    WHERE h.city = gone.city AND h.roles = md5(gone.role_keys::text)::uuid AND h.testifies = gone.testifies;
    RETURN NULL;
END $$;

-- Until this is committed nobody else writes officials, so that none is missed.
CREATE TRIGGER count_heads AFTER INSERT ON officials
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_heads();
CREATE TRIGGER count_heads_again AFTER UPDATE ON officials
    REFERENCING OLD TABLE AS went NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION count_heads_again();
CREATE TRIGGER count_heads_off AFTER DELETE ON officials
    REFERENCING OLD TABLE AS went FOR EACH STATEMENT EXECUTE FUNCTION count_heads_off();

INSERT INTO headcounts (city, roles, testifies, role_keys, officials)
SELECT city, md5(role_keys::text)::uuid, testifies, role_keys, count(*) FROM officials
WHERE active
GROUP BY city, role_keys, testifies;

-- Mailboxes are hashes, so a wave is spread evenly over its buckets: a job's size need only be about right. Nothing is
-- released that reads it.
-- squawk-ignore ban-drop-column
ALTER TABLE waves DROP COLUMN by_bucket;
