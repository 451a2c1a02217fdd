"""A throwaway PostgreSQL cluster on a Unix socket; tests that need it skip where the server is not installed."""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

NUMBERS = count(1)
KEPT_IN_MEMORY = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"""What a process wrote outlives that process; that the machine itself stops is not part of any test."""


def _server_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL server binaries here")
    return found[-1].parent


def _as_server_user() -> list[str]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("no user postgres to run the server as")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@contextmanager
def postgres_cluster() -> Iterator[str]:
    """URL of an empty database in the cluster of this process, removed afterwards."""
    folder = _cluster()
    name = f"test_{next(NUMBERS)}"
    named = sql.Identifier(name)
    owner = f"host={folder} user=postgres dbname=postgres"
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(named))
    try:
        yield f"postgresql://postgres@/{name}?host={folder}"
    finally:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(named))


@lru_cache(maxsize=1)
def _cluster() -> Path:
    """The folder of a cluster that runs until this process ends."""
    binaries, prefix = _server_binaries(), _as_server_user()
    folder = Path(tempfile.mkdtemp(prefix="jit-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if prefix:
        shutil.chown(folder, "postgres")
    cluster = str(folder / "cluster")

    def run(program: str, *arguments: str) -> None:
        command = [*prefix, str(binaries / program), "-D", cluster, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    options = f"-k {folder} -c listen_addresses='' -c shared_buffers=16MB {KEPT_IN_MEMORY}"
    run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    atexit.register(run, "pg_ctl", "-w", "-m", "immediate", "stop")
    return folder
