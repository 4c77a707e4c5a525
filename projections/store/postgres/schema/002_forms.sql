-- Form definitions as admins have sent them: one row each time, so that it can be seen who changed what
-- and when; of each form the row with the highest number counts. `by` is a person's key.
--
-- They hold nothing of any draft. Routes answer out of what the process has read, so that readers need
-- no right here, and nobody may alter or remove a row.
CREATE TABLE forms (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form text NOT NULL,
    definition text NOT NULL,
    by text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL
);
ALTER TABLE forms ENABLE ROW LEVEL SECURITY;
ALTER TABLE forms FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT (form, definition, by, at) ON forms TO variorum_worker;
GRANT SELECT ON SEQUENCE forms_number_seq TO variorum_worker; -- for backups
CREATE POLICY worker_reads ON forms FOR SELECT TO variorum_worker USING (true);
CREATE POLICY worker_adds ON forms FOR INSERT TO variorum_worker WITH CHECK (true);
