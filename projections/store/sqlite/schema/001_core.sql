-- The core: the log of events, the registers, and the read models, in one file.
--
-- The same tables as on PostgreSQL (there with roles and row-level security; here one process and one
-- gate). Ids are 32 hexadecimal digits and the counter is `rowid`, as the eventsourcing library reads
-- them; AUTOINCREMENT, so that no id is ever given twice. Times are RFC 3339 texts in UTC.

CREATE TABLE stored_events (
    rowid INTEGER PRIMARY KEY AUTOINCREMENT,
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    by TEXT NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (originator_id, originator_version)
);

CREATE TABLE people (key TEXT PRIMARY KEY, sub TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE access (
    draft TEXT NOT NULL, principal TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (draft, principal)
) WITHOUT ROWID;
CREATE INDEX access_principal_idx ON access (principal, draft);
CREATE TABLE links (
    id TEXT PRIMARY KEY, draft TEXT NOT NULL, token_hash TEXT NOT NULL, expires_at TEXT
) WITHOUT ROWID;
CREATE INDEX links_draft_idx ON links (draft);
CREATE TABLE slots (
    owner TEXT NOT NULL,
    form TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    has_subject INTEGER NOT NULL,
    draft TEXT NOT NULL UNIQUE,
    PRIMARY KEY (owner, form, subject, has_subject)
) WITHOUT ROWID;
CREATE TABLE tombstones (
    draft TEXT PRIMARY KEY, owner TEXT NOT NULL, versions INTEGER NOT NULL, head BLOB NOT NULL,
    by TEXT NOT NULL, at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE states (
    draft TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, rest BLOB NOT NULL, hash BLOB NOT NULL,
    resting INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (draft, version)
);

CREATE TABLE versions (
    draft TEXT NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    act TEXT NOT NULL,
    by TEXT NOT NULL,
    device TEXT,
    seq INTEGER,
    paths TEXT,
    reason TEXT,
    label TEXT,
    PRIMARY KEY (draft, version)
) WITHOUT ROWID;

CREATE TABLE drafts (
    draft TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    form TEXT NOT NULL,
    subject TEXT,
    title TEXT,
    status TEXT NOT NULL,
    template INTEGER NOT NULL,
    version INTEGER NOT NULL,
    step TEXT,
    completed_steps TEXT NOT NULL,
    conflicts INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    saved_at TEXT NOT NULL,
    saved_by TEXT NOT NULL,
    saved_device TEXT,
    expires_at TEXT, -- of a template none
    forked_from TEXT,
    from_template TEXT,
    filled INTEGER,
    fields INTEGER,
    rested INTEGER NOT NULL DEFAULT 0,
    resume TEXT,
    search TEXT NOT NULL DEFAULT ''
);

CREATE TABLE positions (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE set_aside (
    name TEXT NOT NULL, notification_id INTEGER NOT NULL, draft TEXT NOT NULL, version INTEGER NOT NULL,
    problem TEXT NOT NULL, PRIMARY KEY (name, notification_id)
) WITHOUT ROWID;
INSERT INTO positions VALUES ('drafts', 0);
