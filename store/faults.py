"""What the databases raise when they cannot read or write: a full disk, a lost connection, a broken file."""

import sqlite3

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from tools.domain.errors import JitError


def store_faults() -> tuple[type[Exception], ...]:
    """For an `except` around work that may be left for later; PostgreSQL's driver is imported only there."""
    from psycopg import Error as PostgresError

    return (JitError, OSError, sqlite3.Error, duckdb.Error, SQLAlchemyError, PostgresError)
