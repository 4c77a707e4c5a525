-- Form definitions as admins have sent them: one row each time, so that it can be seen who changed what
-- and when; of each form the row with the highest number counts. `by` is a person's key.
CREATE TABLE forms (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    form TEXT NOT NULL,
    definition TEXT NOT NULL,
    by TEXT NOT NULL,
    at TEXT NOT NULL
);
