-- What was imported from a browser, so that it is imported once: by an id made of who imported it, its
-- key and its content, and the draft that it went to. It stays when the draft is purged, so that a
-- browser that still has it does not bring it back.
CREATE TABLE imports (id TEXT PRIMARY KEY, draft TEXT NOT NULL) WITHOUT ROWID;
