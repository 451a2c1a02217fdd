"""A folder of CSV or Parquet files to a dataset version: all or nothing, with reasons for every reject."""

from store.ingest.folder import ImportReport, import_folder

__all__ = ["ImportReport", "import_folder"]
