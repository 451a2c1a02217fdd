CREATE TABLE orders (
    order_key TEXT PRIMARY KEY, run_id TEXT NOT NULL, status TEXT NOT NULL, supplier_id TEXT NOT NULL,
    site_id TEXT NOT NULL, approval_id TEXT NOT NULL, erp_ref TEXT NOT NULL, value_cents BIGINT NOT NULL,
    left_seq BIGINT, left_at TEXT, seq BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX orders_by_run ON orders (run_id);
CREATE INDEX orders_by_status ON orders (status);
CREATE INDEX orders_by_leaving ON orders (left_at);
CREATE TABLE order_lines (
    order_key TEXT NOT NULL REFERENCES orders, line_id TEXT NOT NULL, item_id TEXT NOT NULL, site_id TEXT NOT NULL,
    quantity DOUBLE PRECISION NOT NULL, unit_price DOUBLE PRECISION NOT NULL, PRIMARY KEY (order_key, line_id));
CREATE INDEX order_lines_by_item ON order_lines (item_id, site_id);
CREATE TABLE order_history (
    id {identity}, order_key TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, actor TEXT NOT NULL,
    reason TEXT NOT NULL, at TEXT NOT NULL, seq BIGINT NOT NULL, body TEXT);
CREATE INDEX order_history_by_order ON order_history (order_key, id);
-- sqlite
CREATE TRIGGER order_history_is_never_changed BEFORE UPDATE ON order_history
BEGIN SELECT RAISE(ABORT, 'the history of orders is only added to'); END;
-- sqlite
CREATE TRIGGER order_history_is_never_cut BEFORE DELETE ON order_history
BEGIN SELECT RAISE(ABORT, 'the history of orders is only added to'); END;
-- postgresql
CREATE FUNCTION keep_order_history() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the history of orders is only added to'; END $$;
-- postgresql
CREATE TRIGGER order_history_is_kept BEFORE UPDATE OR DELETE ON order_history
FOR EACH ROW EXECUTE FUNCTION keep_order_history();
CREATE TABLE supply (
    item_id TEXT NOT NULL, site_id TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (item_id, site_id));
CREATE INDEX supply_by_version ON supply (version);
CREATE TABLE needs (
    item_id TEXT NOT NULL, site_id TEXT NOT NULL, owner_run TEXT NOT NULL, seq BIGINT NOT NULL,
    window_from TEXT NOT NULL, window_to TEXT NOT NULL, PRIMARY KEY (item_id, site_id));
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counters (name, value) VALUES ('supply', 0);
INSERT INTO counters (name, value) VALUES ('on_order', 0);
CREATE TABLE supply_reads (dataset_version TEXT PRIMARY KEY, seq BIGINT NOT NULL);
CREATE TABLE publications (run_id TEXT PRIMARY KEY, seq BIGINT NOT NULL, item_ids TEXT NOT NULL);
