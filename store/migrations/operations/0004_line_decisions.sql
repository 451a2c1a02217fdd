CREATE TABLE line_decisions (
    id {identity}, approval_id TEXT NOT NULL, order_key TEXT NOT NULL, line_id TEXT NOT NULL, item_id TEXT NOT NULL,
    site_id TEXT NOT NULL, supplier_id TEXT NOT NULL, changes TEXT NOT NULL, decision TEXT NOT NULL,
    proposed_units DOUBLE PRECISION NOT NULL, decided_units DOUBLE PRECISION NOT NULL,
    list_price DOUBLE PRECISION NOT NULL, stockout_bp BIGINT NOT NULL, alert_ids TEXT NOT NULL, actor TEXT NOT NULL,
    reason TEXT NOT NULL, decided_at TEXT NOT NULL, until TEXT, seq BIGINT NOT NULL);
CREATE INDEX line_decisions_by_line ON line_decisions (item_id, site_id, supplier_id, changes, id);
