-- Which edition of the grounds holds on which mail is sent. Whatever could forbid a mail that was claimed raises it: what is
-- written here raises it by itself, and so does `stop_marks`, without which no waiting message is ended or changed. Deleting
-- an unsubscription, a suppression or a thread forbids nothing.
CREATE TABLE grounds (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    edition bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO grounds (edition) VALUES (1);

CREATE FUNCTION raise_grounds() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE grounds SET edition = edition + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER raise_grounds AFTER INSERT OR UPDATE OR DELETE ON officials
    FOR EACH STATEMENT EXECUTE FUNCTION raise_grounds();
CREATE TRIGGER raise_grounds AFTER INSERT OR UPDATE ON suppressions
    FOR EACH STATEMENT EXECUTE FUNCTION raise_grounds();
CREATE TRIGGER raise_grounds AFTER INSERT OR UPDATE ON unsubscribed
    FOR EACH STATEMENT EXECUTE FUNCTION raise_grounds();
CREATE TRIGGER raise_grounds AFTER INSERT OR UPDATE OF paused ON pauses
    FOR EACH STATEMENT EXECUTE FUNCTION raise_grounds();
CREATE TRIGGER raise_grounds AFTER UPDATE ON threads
    FOR EACH STATEMENT EXECUTE FUNCTION raise_grounds();
