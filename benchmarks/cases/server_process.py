"""`jit serve` in a process of its own, on a free port of the loopback."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 1200.0


@contextmanager
def serving(home: Path, **environment: str) -> Generator[tuple[str, str]]:
    """Serve a home until the block ends; gives the URL and the owner's key."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    variables = {**os.environ, "JIT_HOME": str(home), **environment}
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as server:
        try:
            told = _told(home / "server.json")
            yield str(told["url"]), str(told["key"])
        finally:
            server.terminate()


def _told(file: Path) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if file.is_file():
            return dict(json.loads(file.read_text(encoding="utf-8")))
        time.sleep(0.05)
    raise TimeoutError("the server did not start")
