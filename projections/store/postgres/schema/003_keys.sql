-- API keys, by which machines call. Only digests are kept, and no key is ever removed: history names it.
--
-- The service's worker looks keys up, and makes and revokes them for the command line; it cannot alter
-- what a key is good for. Readers see none of it.

CREATE TABLE api_keys (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    role text COLLATE "C" CHECK (role IN ('auditor', 'admin')),
    digest bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON api_keys TO variorum_worker;
CREATE POLICY worker_reads ON api_keys FOR SELECT TO variorum_worker USING (true);
CREATE POLICY worker_adds ON api_keys FOR INSERT TO variorum_worker WITH CHECK (true);
CREATE POLICY worker_revokes ON api_keys FOR UPDATE TO variorum_worker
    USING (true) WITH CHECK (revoked_at IS NOT NULL);
