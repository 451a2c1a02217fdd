CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, status TEXT NOT NULL, trigger_json TEXT NOT NULL, actor TEXT NOT NULL,
    dataset_version TEXT NOT NULL, versions TEXT NOT NULL, summary TEXT NOT NULL,
    created_at TEXT NOT NULL, ended_at TEXT);
CREATE INDEX runs_by_time ON runs (created_at);
CREATE TABLE inbox (
    message_id TEXT PRIMARY KEY, kind TEXT NOT NULL, payload TEXT NOT NULL, source TEXT NOT NULL,
    status TEXT NOT NULL, received_at TEXT NOT NULL, finished_at TEXT, leased_until DOUBLE PRECISION NOT NULL,
    attempts BIGINT NOT NULL, run_id TEXT, error TEXT);
CREATE INDEX inbox_by_status ON inbox (status, received_at);
CREATE TABLE approvals (
    approval_id TEXT PRIMARY KEY, run_id TEXT NOT NULL, interrupt_id TEXT NOT NULL, order_key TEXT NOT NULL,
    content_hash TEXT NOT NULL, tier TEXT NOT NULL, proposed_by TEXT NOT NULL, payload TEXT NOT NULL,
    opened_at TEXT NOT NULL, status TEXT NOT NULL, decision TEXT, decided_at TEXT, decided_by TEXT,
    reason TEXT NOT NULL, edits TEXT, applied BIGINT NOT NULL);
CREATE INDEX approvals_by_status ON approvals (status, opened_at);
CREATE INDEX approvals_by_run ON approvals (run_id);
CREATE TABLE outbox (
    id {identity}, action_key TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL, order_key TEXT NOT NULL,
    kind TEXT NOT NULL, payload TEXT NOT NULL, approval_id TEXT, status TEXT NOT NULL, attempts BIGINT NOT NULL,
    due_at DOUBLE PRECISION NOT NULL, leased_until DOUBLE PRECISION NOT NULL, erp_ref TEXT, response TEXT,
    error TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE INDEX outbox_by_status ON outbox (status, due_at);
CREATE TABLE users (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, key_hash TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL);
CREATE TABLE links (
    token_hash TEXT PRIMARY KEY, name TEXT NOT NULL, expires_at DOUBLE PRECISION NOT NULL, redeemed BIGINT NOT NULL);
CREATE TABLE flags (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE messages (
    id {identity}, conversation TEXT NOT NULL, role TEXT NOT NULL, body TEXT NOT NULL, payload TEXT NOT NULL,
    at TEXT NOT NULL);
CREATE INDEX messages_by_conversation ON messages (conversation, id);
CREATE TABLE journal_staging (
    id {identity}, draft_id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL, body TEXT NOT NULL,
    staged_at DOUBLE PRECISION NOT NULL);
CREATE TABLE journal_heads (
    seq BIGINT NOT NULL, hash TEXT NOT NULL, recorded_at TEXT NOT NULL, PRIMARY KEY (seq, hash));
