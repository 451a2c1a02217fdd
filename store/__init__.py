"""The databases: the DuckDB warehouse, the operations database, the journal between them, and ingest."""
