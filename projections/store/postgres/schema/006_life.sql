-- The end of drafts: since when each is closed, how one is purged, and who is forgotten.
ALTER TABLE drafts ADD COLUMN closed_at timestamptz;

-- Numbers that rise, so that every process can follow what it has to let go of.
ALTER TABLE tombstones ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY UNIQUE;
CREATE TABLE forgotten (
    person text COLLATE "C" PRIMARY KEY,
    at timestamptz NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE
);
ALTER TABLE forgotten ENABLE ROW LEVEL SECURITY;
ALTER TABLE forgotten FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (person, at) ON forgotten TO variorum_worker;
GRANT SELECT ON SEQUENCE forgotten_number_seq, tombstones_number_seq TO variorum_worker; -- for backups
CREATE POLICY worker_reads ON forgotten FOR SELECT TO variorum_worker USING (true);
CREATE POLICY worker_adds ON forgotten FOR INSERT TO variorum_worker WITH CHECK (true);

-- The draft that `purge` is about to end, within it and nowhere else.
CREATE FUNCTION purging() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('variorum.purging', true), '')::uuid;

-- Nobody else may delete from the log. The tables force row-level security on their owner too, who sees
-- this draft's rows within `purge`.
DO $$
DECLARE name text;
BEGIN
    EXECUTE 'CREATE POLICY owner_purges ON stored_events TO CURRENT_USER USING (originator_id = purging())';
    FOREACH name IN ARRAY ARRAY['access', 'links', 'slots', 'tombstones', 'states', 'versions', 'drafts', 'set_aside'] LOOP
        EXECUTE format('CREATE POLICY owner_purges ON %I TO CURRENT_USER USING (draft = purging())', name);
    END LOOP;
END $$;

-- Ends a draft for good, if it still is at the version that was seen (null: whichever): every row of every table goes, and
-- a tombstone stays. No event comes in between, for all writers take the first lock; no row of a read
-- model, for whoever writes these takes the second one, shared, and then looks for the tombstone.
CREATE FUNCTION purge(the_draft uuid, seen bigint, the_by text, the_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = variorum, pg_temp AS $$
DECLARE last record; the_owner text;
BEGIN
    PERFORM pg_advisory_xact_lock(8602217);
    PERFORM pg_advisory_xact_lock(8602220);
    PERFORM set_config('variorum.purging', the_draft::text, true);
    SELECT originator_version, hash INTO last FROM stored_events WHERE originator_id = the_draft
        ORDER BY originator_version DESC LIMIT 1;
    IF NOT FOUND OR last.originator_version <> seen THEN RETURN false; END IF;
    SELECT principal INTO the_owner FROM access WHERE draft = the_draft AND role = 'owner';
    INSERT INTO tombstones (draft, owner, versions, head, by, at)
        VALUES (the_draft, coalesce(the_owner, ''), last.originator_version, last.hash, the_by, the_at);
    DELETE FROM stored_events WHERE originator_id = the_draft;
    DELETE FROM states WHERE draft = the_draft;
    DELETE FROM versions WHERE draft = the_draft;
    DELETE FROM drafts WHERE draft = the_draft;
    DELETE FROM access WHERE draft = the_draft;
    DELETE FROM links WHERE draft = the_draft;
    DELETE FROM slots WHERE draft = the_draft;
    DELETE FROM set_aside WHERE draft = the_draft;
    DELETE FROM sessions WHERE draft = the_draft;
    DELETE FROM warnings WHERE draft = the_draft;
    PERFORM set_config('variorum.purging', '', true);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION purge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purge TO variorum_worker;

-- What the webhook is to be told: of each message its draft, and nothing out of it. `due_at` is null once
-- it was given up. Sessions are those that go on, or may; warnings say which expiry was told of.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY,
    draft uuid NOT NULL,
    event text COLLATE "C" NOT NULL,
    first_version bigint NOT NULL,
    version bigint NOT NULL,
    at timestamptz NOT NULL,
    due_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    problem text
);
CREATE INDEX webhooks_due_idx ON webhooks (due_at);
CREATE TABLE sessions (
    draft uuid NOT NULL, by text COLLATE "C" NOT NULL, device text NOT NULL,
    first_version bigint NOT NULL, version bigint NOT NULL, at timestamptz NOT NULL,
    PRIMARY KEY (draft, by, device)
);
CREATE TABLE warnings (draft uuid PRIMARY KEY, expires_at timestamptz NOT NULL);
GRANT SELECT ON SEQUENCE webhooks_number_seq TO variorum_worker; -- for backups
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhooks', 'sessions', 'warnings'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO variorum_worker', name);
        EXECUTE format('CREATE POLICY worker_works ON %I TO variorum_worker USING (true)', name);
        EXECUTE format('CREATE POLICY owner_purges ON %I TO CURRENT_USER USING (draft = purging())', name);
    END LOOP;
END $$;
