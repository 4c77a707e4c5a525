-- What was imported from a browser, so that it is imported once: by an id made of who imported it, its
-- key and its content, and the draft that it went to. Written in the transaction of its event; it stays
-- when the draft is purged, so that a browser that still has it does not bring it back.
CREATE TABLE imports (id uuid PRIMARY KEY, draft uuid NOT NULL);
ALTER TABLE imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON imports TO variorum_worker;
CREATE POLICY worker_reads ON imports FOR SELECT TO variorum_worker USING (true);
CREATE POLICY worker_adds ON imports FOR INSERT TO variorum_worker WITH CHECK (true);
