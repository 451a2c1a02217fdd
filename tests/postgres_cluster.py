"""A throwaway PostgreSQL cluster on a Unix socket; tests that need it skip where the server is not installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

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
    """URL of a fresh cluster, removed afterwards."""
    binaries, prefix = _server_binaries(), _as_server_user()
    folder = Path(tempfile.mkdtemp(prefix="jit-pg-"))
    if prefix:
        shutil.chown(folder, "postgres")
    cluster = str(folder / "cluster")

    def run(program: str, *arguments: str) -> None:
        command = [*prefix, str(binaries / program), "-D", cluster, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    options = f"-k {folder} -c listen_addresses='' -c shared_buffers=16MB {KEPT_IN_MEMORY}"
    try:
        run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
