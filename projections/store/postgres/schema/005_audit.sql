-- The auditors' lines come out of `versions`, newest first, and who has read what as an auditor is a log
-- of its own: the worker adds to it, and nobody may alter or remove a row.

CREATE INDEX versions_at_idx ON versions (at, draft, version);
CREATE INDEX drafts_owner_idx ON drafts (owner);

-- `by` is a person's key; `asked` is JSON: the query, people in it by key, never anything of a draft.
CREATE TABLE audit_reads (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    by text COLLATE "C" NOT NULL,
    path text NOT NULL,
    asked text NOT NULL,
    draft uuid,
    request text,
    address text
);
ALTER TABLE audit_reads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_reads FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (at, by, path, asked, draft, request, address) ON audit_reads TO variorum_worker;
GRANT SELECT ON SEQUENCE audit_reads_number_seq TO variorum_worker; -- for backups
GRANT SELECT ON audit_reads TO variorum_reader;
CREATE POLICY worker_reads ON audit_reads FOR SELECT TO variorum_worker USING (true);
CREATE POLICY worker_adds ON audit_reads FOR INSERT TO variorum_worker WITH CHECK (true);
CREATE POLICY reader_reads ON audit_reads FOR SELECT TO variorum_reader
    USING ((SELECT is_auditor()));
