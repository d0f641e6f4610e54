-- No service's role can change or remove an entry. What is old goes by this function alone, which removes nothing that is
-- younger than 400 days, whoever calls it.
CREATE FUNCTION clarion.purge_audit(days int, room int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    removed bigint;
BEGIN
    DELETE FROM clarion.audit
    WHERE id IN (
        SELECT id FROM clarion.audit WHERE at < now() - make_interval(days => greatest(days, 400)) ORDER BY at LIMIT room
    );
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
