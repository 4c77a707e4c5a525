-- The core: the log of events, the registers, and the read models, with who may touch what.
--
-- The owner of this schema migrates and never serves. The service's login owns nothing; it takes one of
-- two roles: variorum_reader sees the drafts of the one principal that its transaction names, and
-- variorum_worker writes events that the draft's register of access allows, and never changes one.

-- The log (the layout of the eventsourcing library, so that its recorders read it). `by` stands in the
-- state too; the column is what the policy below checks. `hash` is the event's link (domain/chain.py).
CREATE TABLE stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint GENERATED ALWAYS AS IDENTITY,
    by text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);

-- The registers: written in the transaction of their event.
CREATE TABLE people (key text COLLATE "C" PRIMARY KEY, sub text NOT NULL UNIQUE);
CREATE TABLE access (
    draft uuid NOT NULL,
    principal text COLLATE "C" NOT NULL,
    role text NOT NULL,
    PRIMARY KEY (draft, principal)
);
CREATE INDEX access_principal_idx ON access (principal, draft);
-- What the tokens of share links are checked against: those that are good, until they expire.
CREATE TABLE links (
    id text COLLATE "C" PRIMARY KEY,
    draft uuid NOT NULL,
    token_hash text NOT NULL,
    expires_at timestamptz
);
CREATE INDEX links_draft_idx ON links (draft);
CREATE TABLE slots (
    owner text COLLATE "C" NOT NULL,
    form text NOT NULL,
    subject text NOT NULL DEFAULT '',
    has_subject boolean NOT NULL,
    draft uuid NOT NULL UNIQUE,
    PRIMARY KEY (owner, form, subject, has_subject)
);
CREATE TABLE tombstones (
    draft uuid PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    versions bigint NOT NULL,
    head bytea NOT NULL,
    by text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL
);

-- Whole drafts at some versions: `body` is what is served, `rest` what the aggregate needs besides.
-- Most stay for ever; a resting one is the current form state of a draft that is quiet, and gives way.
CREATE TABLE states (
    draft uuid NOT NULL,
    version bigint NOT NULL,
    body bytea NOT NULL,
    rest bytea NOT NULL,
    hash bytea NOT NULL,
    resting boolean NOT NULL DEFAULT false,
    PRIMARY KEY (draft, version)
);

-- The version history, a thin row each. `paths` holds one path a line.
CREATE TABLE versions (
    draft uuid NOT NULL,
    version integer NOT NULL,
    at timestamptz NOT NULL,
    act text COLLATE "C" NOT NULL,
    by text COLLATE "C" NOT NULL,
    device text COLLATE "C",
    seq bigint,
    paths text COLLATE "C",
    reason text,
    label text,
    PRIMARY KEY (draft, version)
);

-- The drafts page, a row each; `rested` is the version that `search` and the resting state show.
CREATE TABLE drafts (
    draft uuid PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    form text NOT NULL,
    subject text,
    title text,
    status text NOT NULL,
    template boolean NOT NULL,
    version bigint NOT NULL,
    step text,
    completed_steps text NOT NULL,
    conflicts integer NOT NULL,
    created_at timestamptz NOT NULL,
    saved_at timestamptz NOT NULL,
    saved_by text COLLATE "C" NOT NULL,
    saved_device text,
    expires_at timestamptz, -- of a template none
    forked_from text,
    from_template text,
    filled integer,
    fields integer,
    rested bigint NOT NULL DEFAULT 0,
    resume text,
    search text NOT NULL DEFAULT ''
) WITH (fillfactor = 70);

-- How far each read model has come in the log, and the events that none of them could take.
CREATE TABLE positions (name text PRIMARY KEY, position bigint NOT NULL);
CREATE TABLE set_aside (
    name text NOT NULL, notification_id bigint NOT NULL, draft uuid NOT NULL, version bigint NOT NULL,
    problem text NOT NULL, PRIMARY KEY (name, notification_id)
);
INSERT INTO positions VALUES ('drafts', 0);

-- Who is reading: the principal that the transaction named; nobody otherwise.
CREATE FUNCTION current_principal() RETURNS text LANGUAGE sql STABLE
    RETURN nullif(current_setting('variorum.user', true), '');

-- The draft whose versions a statement lists: whether its reader is let in is then looked up once, and
-- not for each of its rows (51 versions: 170 µs of PostgreSQL, now 100).
CREATE FUNCTION current_draft() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('variorum.draft', true), '')::uuid;

-- Auditors read the content of every draft: who reads is then `auditor:` and the person's key.
CREATE FUNCTION is_auditor() RETURNS boolean LANGUAGE sql STABLE
    RETURN coalesce(starts_with(current_setting('variorum.user', true), 'auditor:'), false);

-- What somebody may do with a draft; null if there is no such draft for them.
CREATE FUNCTION role_in(the_draft uuid, the_principal text) RETURNS text LANGUAGE sql STABLE
    RETURN coalesce(
        (SELECT a.role FROM access a WHERE a.draft = the_draft AND a.principal = the_principal),
        (SELECT coalesce((SELECT a.role FROM access a
                          WHERE a.draft = the_draft AND a.principal = substr(the_principal, 9)), 'auditor')
         WHERE starts_with(the_principal, 'auditor:') AND EXISTS (SELECT FROM access a WHERE a.draft = the_draft)));

CREATE FUNCTION may_write(the_draft uuid, the_principal text) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (SELECT FROM access a WHERE a.draft = the_draft AND a.principal = the_principal
                   AND a.role IN ('owner', 'editor'));

-- Whether somebody may add an event: whoever writes, every member that they leave, and the service, by
-- itself, that a draft or a role in it ends.
CREATE FUNCTION may_add(the_draft uuid, the_principal text, the_topic text) RETURNS boolean LANGUAGE sql STABLE
    RETURN may_write(the_draft, the_principal)
        OR (the_topic = 'draft.unshared'
            AND EXISTS (SELECT FROM access a WHERE a.draft = the_draft AND a.principal = the_principal))
        OR (the_principal = 'service' AND the_topic IN ('draft.expired', 'draft.discarded', 'draft.unshared'));

-- A reader's policies ask for one value, not whether something EXISTS: PostgreSQL would answer that
-- out of a table of all the reader's drafts, made anew for every statement.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['stored_events', 'people', 'access', 'links', 'slots', 'tombstones', 'states',
                                'versions', 'drafts', 'positions', 'set_aside'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT SELECT ON %I TO variorum_worker', name);
        EXECUTE format('CREATE POLICY worker_reads ON %I FOR SELECT TO variorum_worker USING (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['people', 'access', 'links', 'slots', 'states', 'versions', 'drafts',
                                'positions', 'set_aside'] LOOP
        EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO variorum_worker', name);
        EXECUTE format('CREATE POLICY worker_adds ON %I FOR INSERT TO variorum_worker WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY worker_changes ON %I FOR UPDATE TO variorum_worker USING (true)', name);
        EXECUTE format('CREATE POLICY worker_removes ON %I FOR DELETE TO variorum_worker USING (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['states', 'versions', 'drafts'] LOOP
        EXECUTE format('GRANT SELECT ON %I TO variorum_reader', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['states.draft', 'drafts.draft', 'stored_events.originator_id'] LOOP
        EXECUTE format($p$CREATE POLICY reader_reads ON %1$s FOR SELECT TO variorum_reader USING ((
            SELECT true FROM access a WHERE a.draft = %2$s AND a.principal = current_principal()))$p$,
            split_part(name, '.', 1), name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['stored_events', 'access', 'tombstones', 'states', 'versions', 'drafts'] LOOP
        EXECUTE format('CREATE POLICY auditor_reads ON %I FOR SELECT TO variorum_reader USING ((SELECT is_auditor()))', name);
    END LOOP;
END $$;

GRANT INSERT (originator_id, originator_version, topic, state, by, hash) ON stored_events TO variorum_worker;
CREATE POLICY worker_adds ON stored_events FOR INSERT TO variorum_worker
    WITH CHECK (may_add(originator_id, by, topic));

-- Many rows of one draft are read at once; for the one or few of the others a second question costs more.
CREATE POLICY reader_reads ON versions FOR SELECT TO variorum_reader USING (
    CASE WHEN draft = (SELECT a.draft FROM access a WHERE a.draft = current_draft() AND a.principal = current_principal())
    THEN true
    ELSE (SELECT true FROM access a WHERE a.draft = versions.draft AND a.principal = current_principal())
    END);

GRANT SELECT ON SEQUENCE stored_events_notification_id_seq TO variorum_worker; -- for backups
GRANT SELECT ON stored_events, access, tombstones TO variorum_reader;
CREATE POLICY reader_reads ON access FOR SELECT TO variorum_reader USING (principal = current_principal());
CREATE POLICY reader_reads ON tombstones FOR SELECT TO variorum_reader USING (owner = current_principal());

-- One group of the writer, in one statement and so in one transaction. All writers of a database take
-- the same lock, so events get their notification ids in the order in which they commit, and a draft
-- that is at the expected version stays there. Answers the drafts that another process moved, or the
-- slots that another draft holds; then nothing was written.
CREATE FUNCTION save_group(
    seen_drafts uuid[], seen_versions bigint[],
    drafts uuid[], event_versions bigint[], topics text[], bys text[], event_states bytea[], hashes bytea[],
    ats timestamptz[], devices text[], seqs bigint[], event_paths text[], reasons text[],
    state_drafts uuid[], state_versions bigint[], bodies bytea[], rests bytea[], state_hashes bytea[],
    registers jsonb
) RETURNS TABLE (moved uuid[], taken uuid[], head bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE r jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(8602217);
    SELECT array_agg(s.draft) INTO moved FROM unnest(seen_drafts, seen_versions) AS s(draft, version)
        WHERE s.version <> coalesce((SELECT max(e.originator_version) FROM stored_events e
                                     WHERE e.originator_id = s.draft), 0)
           OR s.version = 0 AND EXISTS (SELECT FROM tombstones t WHERE t.draft = s.draft);
    IF moved IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
    IF registers IS NOT NULL THEN
        SELECT array_agg(s.draft) INTO taken FROM jsonb_to_recordset(registers)
            AS t(register text, owner text, form text, subject text, draft uuid)
            JOIN slots s ON s.owner = t.owner AND s.form = t.form AND s.subject = coalesce(t.subject, '')
                        AND s.has_subject = (t.subject IS NOT NULL) AND s.draft <> t.draft
            WHERE t.register = 'take_slot';
        IF taken IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
        -- Who comes in may write in this very group, and who goes may have written before.
        FOR r IN SELECT * FROM jsonb_array_elements(registers) e WHERE e ->> 'register' = 'grant' LOOP
            PERFORM let_in(r);
        END LOOP;
    END IF;
    WITH added AS (
        INSERT INTO stored_events (originator_id, originator_version, topic, state, by, hash)
        SELECT * FROM unnest(drafts, event_versions, topics, event_states, bys, hashes)
        RETURNING notification_id
    ) SELECT max(notification_id) INTO head FROM added;
    INSERT INTO versions (draft, version, at, act, by, device, seq, paths, reason)
        SELECT d, v, at, substr(topic, 7), by, device, seq, paths, reason FROM
        unnest(drafts, event_versions, ats, topics, bys, devices, seqs, event_paths, reasons)
            AS e(d, v, at, topic, by, device, seq, paths, reason);
    FOR r IN SELECT * FROM jsonb_array_elements(registers) LOOP
        PERFORM apply_register(r);
    END LOOP;
    IF cardinality(state_drafts) > 0 THEN
        INSERT INTO states (draft, version, body, rest, hash)
            SELECT * FROM unnest(state_drafts, state_versions, bodies, rests, state_hashes)
            ON CONFLICT (draft, version) DO UPDATE SET resting = false;
    END IF;
    PERFORM pg_notify('variorum', head::text);
    RETURN NEXT;
END $$;

-- Gives a role that allows more than the one that is there.
CREATE FUNCTION let_in(r jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO access VALUES ((r ->> 'draft')::uuid, r ->> 'principal', r ->> 'role')
    ON CONFLICT (draft, principal) DO UPDATE SET role = excluded.role
    WHERE access.role = 'viewer' OR excluded.role = 'owner'
$$;

CREATE FUNCTION apply_register(r jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE the_draft uuid := (r ->> 'draft')::uuid;
BEGIN
    CASE r ->> 'register'
        WHEN 'grant' THEN
            INSERT INTO access VALUES (the_draft, r ->> 'principal', r ->> 'role')
            ON CONFLICT (draft, principal) DO UPDATE SET role = excluded.role;
        WHEN 'revoke' THEN
            DELETE FROM access WHERE draft = the_draft AND principal = r ->> 'principal';
            DELETE FROM links WHERE draft = the_draft AND 'link:' || id = r ->> 'principal';
        WHEN 'link' THEN
            INSERT INTO links VALUES (r ->> 'id', the_draft, r ->> 'token_hash', (r ->> 'expires_at')::timestamptz)
            ON CONFLICT DO NOTHING;
        WHEN 'take_slot' THEN
            INSERT INTO slots VALUES (r ->> 'owner', r ->> 'form', coalesce(r ->> 'subject', ''),
                                      (r ->> 'subject') IS NOT NULL, the_draft);
        WHEN 'imported' THEN
            INSERT INTO imports VALUES ((r ->> 'id')::uuid, the_draft) ON CONFLICT DO NOTHING;
        WHEN 'free_slot' THEN
            DELETE FROM slots WHERE draft = the_draft;
        WHEN 'label' THEN
            UPDATE versions SET label = r ->> 'label'
            WHERE draft = the_draft AND version = (r ->> 'version')::integer;
    END CASE;
END $$;

-- The current or an earlier form state, in one round trip: the caller's role, the nearest whole draft at
-- or before `upto` (null: now), and the events after it. No row: not the caller's.
CREATE FUNCTION read_draft(the_user text, the_draft uuid, upto bigint)
RETURNS TABLE (role text, head bigint, version bigint, body bytea, rest bytea, topics text[], tail bytea[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE wanted bigint; since bigint; -- not expressions in the query: with those the planner guesses badly
BEGIN
    PERFORM set_config('variorum.user', the_user, true);
    SELECT a.role INTO role FROM access a WHERE a.draft = the_draft AND a.principal = the_user;
    IF NOT FOUND AND is_auditor() THEN role := role_in(the_draft, the_user); END IF;
    IF role IS NULL THEN RETURN; END IF;
    SELECT max(e.originator_version) INTO head FROM stored_events e WHERE e.originator_id = the_draft;
    wanted := least(upto, head);
    SELECT s.version, s.body, s.rest INTO version, body, rest FROM states s
        WHERE s.draft = the_draft AND s.version <= wanted ORDER BY s.version DESC LIMIT 1;
    since := coalesce(version, 0);
    IF since < wanted THEN
        SELECT array_agg(t.topic), array_agg(t.state) INTO topics, tail FROM (
            SELECT e.topic, e.state FROM stored_events e
            WHERE e.originator_id = the_draft AND e.originator_version > since
              AND e.originator_version <= wanted
            ORDER BY e.originator_version) t;
    END IF;
    RETURN NEXT;
END $$;

-- The version history, newest first: what most readers ask for, in one round trip.
CREATE FUNCTION list_versions(the_user text, the_draft uuid, below bigint, how_many bigint)
RETURNS TABLE (version integer, act text, by text, at timestamptz, device text, paths text, label text, reason text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM set_config('variorum.user', the_user, true), set_config('variorum.draft', the_draft::text, true);
    RETURN QUERY SELECT v.version, v.act, v.by, v.at, v.device, v.paths, v.label, v.reason FROM versions v
        WHERE v.draft = the_draft AND v.version < below ORDER BY v.version DESC LIMIT how_many;
END $$;

REVOKE ALL ON FUNCTION save_group, let_in, apply_register FROM PUBLIC;
GRANT EXECUTE ON FUNCTION save_group, let_in, apply_register TO variorum_worker;
