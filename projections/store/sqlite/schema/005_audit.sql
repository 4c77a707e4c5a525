-- The auditors' lines come out of `versions`, newest first, and who has read what as an auditor is a log
-- of its own, to which rows are only ever added.

CREATE INDEX versions_at_idx ON versions (at, draft, version);
CREATE INDEX drafts_owner_idx ON drafts (owner);

-- `by` is a person's key; `asked` is JSON: the query, people in it by key, never anything of a draft.
CREATE TABLE audit_reads (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    path TEXT NOT NULL,
    asked TEXT NOT NULL,
    draft TEXT,
    request TEXT,
    address TEXT
);
CREATE TRIGGER audit_reads_stay BEFORE UPDATE ON audit_reads BEGIN SELECT RAISE(ABORT, 'audit_reads only grows'); END;
CREATE TRIGGER audit_reads_remain BEFORE DELETE ON audit_reads BEGIN SELECT RAISE(ABORT, 'audit_reads only grows'); END;
