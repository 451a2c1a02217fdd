"""Tables of the warehouse, as named migrations; `Warehouse` applies those a file lacks, in order."""

CANONICAL = {
    "items": (
        "item_id VARCHAR, description VARCHAR, family VARCHAR, uom VARCHAR, unit_value DOUBLE, currency VARCHAR, "
        "holding_rate_per_year DOUBLE, stockout_cost_per_unit DOUBLE, service_level_target DOUBLE, "
        "criticality VARCHAR, storage_volume DOUBLE, shelf_life_days INTEGER, autonomy VARCHAR, "
        "fill_rate_target DOUBLE, lost_sales_share DOUBLE, frozen_days INTEGER"
    ),
    "suppliers": (
        "supplier_id VARCHAR, name VARCHAR, country VARCHAR, parent_id VARCHAR, status VARCHAR, risk_score DOUBLE, "
        "min_order_value DOUBLE"
    ),
    "sites": "site_id VARCHAR, name VARCHAR, storage_capacity DOUBLE",
    "offers": (
        "item_id VARCHAR, supplier_id VARCHAR, site_id VARCHAR, unit_price DOUBLE, currency VARCHAR, "
        "price_breaks VARCHAR, moq DOUBLE, order_multiple DOUBLE, max_quantity DOUBLE, lead_time_days DOUBLE, "
        "capacity_per_week DOUBLE, fixed_order_cost DOUBLE, freight_per_unit DOUBLE, transport_mode VARCHAR, "
        "expedite BOOLEAN, valid_from DATE, valid_to DATE, preference INTEGER, incremental_breaks BOOLEAN"
    ),
    "demand": "item_id VARCHAR, site_id VARCHAR, date DATE, quantity DOUBLE, kind VARCHAR",
    "calendar": "date DATE, item_id VARCHAR, promotion BOOLEAN, closed BOOLEAN",
    "forecasts": "item_id VARCHAR, date DATE, quantity DOUBLE, quantile DOUBLE",
    "stock": "item_id VARCHAR, site_id VARCHAR, on_hand DOUBLE, as_of DATE",
    "purchase_orders": (
        "order_id VARCHAR, item_id VARCHAR, supplier_id VARCHAR, site_id VARCHAR, quantity DOUBLE, order_date DATE, "
        "promised_date DATE, status VARCHAR"
    ),
    "receipts": (
        "order_id VARCHAR, item_id VARCHAR, supplier_id VARCHAR, site_id VARCHAR, quantity DOUBLE, order_date DATE, "
        "promised_date DATE, receipt_date DATE"
    ),
    "links": "from_id VARCHAR, to_id VARCHAR, relation VARCHAR, quantity DOUBLE",
    "limits": "kind VARCHAR, supplier_id VARCHAR, from_date DATE, to_date DATE, amount DOUBLE",
}
"""Canonical table to its columns and types; each stored row also carries its dataset version."""

BACKTEST_FIGURES = (
    "mase",
    "rmsse",
    "wql",
    "wql_naive",
    "coverage_50",
    "coverage_80",
    "coverage_95",
    "lead_time_coverage_80",
    "lead_time_coverage_95",
    "bias",
    "loss_units",
    "loss_naive_units",
    "error_units",
    "actual_units",
    "scale_units",
)
"""Figures of one item's forecast from one origin; NULL where a figure is not defined."""
BACKTEST_COLUMNS = ("item_id", "site_id", "pattern", "origin", "horizon", *BACKTEST_FIGURES)

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "0001_datasets",
        (
            "CREATE TABLE datasets (version VARCHAR PRIMARY KEY, number INTEGER, as_of DATE, currency VARCHAR, "
            "created_at TIMESTAMPTZ, active BOOLEAN, parent VARCHAR, content_hash VARCHAR, source VARCHAR, "
            "row_counts VARCHAR)",
            "CREATE TABLE lineage (version VARCHAR, path VARCHAR, table_name VARCHAR, sha256 VARCHAR, rows BIGINT, "
            "rejected BIGINT, imported_at TIMESTAMPTZ)",
            "CREATE TABLE set_aside (import_id VARCHAR, file VARCHAR, row BIGINT, cells VARCHAR)",
            "CREATE TABLE rejects (import_id VARCHAR, file VARCHAR, row BIGINT, column_name VARCHAR, reason VARCHAR, "
            "expected VARCHAR, remedy VARCHAR, value VARCHAR, stored_at TIMESTAMPTZ)",
            *(f"CREATE TABLE c_{name} (version VARCHAR, {columns})" for name, columns in CANONICAL.items()),
        ),
    ),
    (
        "0002_runs",
        (
            "CREATE TABLE artifacts (run_id VARCHAR, kind VARCHAR, key VARCHAR, payload VARCHAR, "
            "stored_at TIMESTAMPTZ)",
            "CREATE TABLE kpis (run_id VARCHAR, version VARCHAR, name VARCHAR, value DOUBLE, stored_at TIMESTAMPTZ)",
            "CREATE TABLE transitions (seq BIGINT PRIMARY KEY, draft_id VARCHAR, run_id VARCHAR, node VARCHAR, "
            "event VARCHAR, status VARCHAR, started_at TIMESTAMPTZ, body VARCHAR, prev_hash VARCHAR, hash VARCHAR)",
        ),
    ),
    (
        "0003_estimates",
        (
            "CREATE TABLE estimates (version VARCHAR PRIMARY KEY, number INTEGER, dataset_version VARCHAR, "
            "model_version VARCHAR, parameters VARCHAR, seed BIGINT, code_version VARCHAR, created_at TIMESTAMPTZ, "
            "content_hash VARCHAR, parent VARCHAR)",
            "CREATE TABLE estimate_rows (version VARCHAR, kind VARCHAR, item_id VARCHAR, site_id VARCHAR, "
            "key VARCHAR, figures VARCHAR)",
            "CREATE TABLE estimate_contents (version VARCHAR, kind VARCHAR, key VARCHAR, content BLOB)",
            "CREATE TABLE estimate_choices (number INTEGER PRIMARY KEY, version VARCHAR, actor VARCHAR, "
            "reason VARCHAR, held BOOLEAN, chosen_at TIMESTAMPTZ)",
            "CREATE TABLE backtests (version VARCHAR, dataset_version VARCHAR, item_id VARCHAR, site_id VARCHAR, "
            "pattern VARCHAR, origin DATE, horizon INTEGER, "
            + ", ".join(f"{name} DOUBLE" for name in BACKTEST_FIGURES)
            + ", stored_at TIMESTAMPTZ)",
        ),
    ),
    (
        "0004_limits",
        (
            f"CREATE TABLE IF NOT EXISTS c_limits (version VARCHAR, {CANONICAL['limits']})",
            "ALTER TABLE c_items ADD COLUMN IF NOT EXISTS fill_rate_target DOUBLE",
            "ALTER TABLE c_items ADD COLUMN IF NOT EXISTS lost_sales_share DOUBLE",
            "ALTER TABLE c_items ADD COLUMN IF NOT EXISTS frozen_days INTEGER",
            "ALTER TABLE c_offers ADD COLUMN IF NOT EXISTS incremental_breaks BOOLEAN",
        ),
    ),
    (
        "0005_home",
        ("CREATE TABLE home (id VARCHAR, taken BIGINT)", "INSERT INTO home VALUES ('', 0)"),
    ),
    (
        "0006_shared_estimates",
        (
            "ALTER TABLE estimates ADD COLUMN demand_input VARCHAR",
            "ALTER TABLE estimates ADD COLUMN kept BOOLEAN",
            "CREATE TABLE estimate_members AS SELECT version, kind, key, "
            "sha256(concat_ws('|', version, kind, key)) AS digest FROM estimate_rows",
            "CREATE TABLE estimate_figures AS SELECT sha256(concat_ws('|', version, kind, key)) AS digest, "
            "item_id, site_id, figures FROM estimate_rows",
            "CREATE TABLE estimate_distributions AS SELECT sha256(concat_ws('|', version, kind, key)) AS digest, "
            "content FROM estimate_contents",
            "UPDATE estimates SET kept = version IN (SELECT version FROM estimate_contents)",
            "DROP TABLE estimate_rows",
            "DROP TABLE estimate_contents",
        ),
    ),
    (
        "0007_demand_series",
        ("CREATE TABLE demand_series (records VARCHAR PRIMARY KEY, series VARCHAR)",),
    ),
)
