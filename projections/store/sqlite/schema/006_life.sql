-- The end of drafts: since when each is closed, and who is forgotten; `number` rises in both tables, so
-- that every process can follow what it has to let go of.
ALTER TABLE drafts ADD COLUMN closed_at TEXT;
DROP TABLE tombstones;
CREATE TABLE tombstones (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    draft TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, versions INTEGER NOT NULL, head BLOB NOT NULL,
    by TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE forgotten (number INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL UNIQUE, at TEXT NOT NULL);

-- What the webhook is to be told: of each message its draft, and nothing out of it. `due_at` is null once
-- it was given up. Sessions are those that go on, or may; warnings say which expiry was told of.
CREATE TABLE webhooks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, draft TEXT NOT NULL, event TEXT NOT NULL,
    first_version INTEGER NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, due_at TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, problem TEXT
);
CREATE INDEX webhooks_due_idx ON webhooks (due_at);
CREATE TABLE sessions (
    draft TEXT NOT NULL, by TEXT NOT NULL, device TEXT NOT NULL,
    first_version INTEGER NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (draft, by, device)
) WITHOUT ROWID;
CREATE TABLE warnings (draft TEXT PRIMARY KEY, expires_at TEXT NOT NULL) WITHOUT ROWID;
