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
