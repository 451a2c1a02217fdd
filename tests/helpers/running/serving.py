"""`jit serve` in a process of its own on a free port, and signed alerts for it."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from demo_home import settings_of
from jit_command import JIT, Jit
from loaded_command import Started, loaded_command
from standardwebhooks import Webhook

from web.settings import web_settings

PATIENCE_SECONDS = 240.0
"""Guards against hanging only."""


@dataclass(frozen=True)
class Served:
    """A server that owns a home, and a client with its owner's key."""

    process: Started
    http: httpx.Client
    webhook: Webhook

    def get(self, path: str, **query: int | str) -> Any:
        """The answer of a route that must succeed."""
        answer = self.http.get(path, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def alert(self, message_id: str, **content: object) -> httpx.Response:
        """Send a signed alert."""
        event = {"specversion": "1.0", "id": message_id, "source": "edi", "type": "supplier.alert", "data": content}
        body, now = json.dumps(event), datetime.now(UTC)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self.webhook.sign(message_id, now, body),
            "content-type": "application/cloudevents+json",
        }
        return self.http.post("/api/alerts", content=body.encode(), headers=headers)


@contextmanager
def served(home: Path, log: Path) -> Iterator[Served]:
    """Serve the home until the block ends; what the server says goes to the log."""
    with log.open("wb") as said:
        process = loaded_command().start(
            [str(JIT), "serve", "--port", "0"], Jit(home).environment(), home.parent, (said.fileno(), said.fileno())
        )
        try:
            told = address_told(home, process, log)
            webhook = Webhook(web_settings(settings_of(home)).webhook_secret.get_secret_value())
            key = {"Authorization": f"Bearer {told['key']}"}
            with httpx.Client(base_url=told["url"], headers=key, timeout=PATIENCE_SECONDS, trust_env=False) as http:
                yield Served(process, http, webhook)
        finally:
            process.terminate()
            process.wait(60)


def address_told(home: Path, process: Started, log: Path) -> dict[str, Any]:
    """What a server that has started tells in its home; fails with its log when it ends instead."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        if (home / "server.json").is_file():
            return dict(json.loads((home / "server.json").read_text(encoding="utf-8")))
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')}")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own with so much space; None is made where mounting is not permitted: the test skips."""
    import pytest

    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    made = subprocess.run(["mount", *options], capture_output=True, check=False) if os.geteuid() == 0 else None
    if made is None or made.returncode:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def ballast(folder: Path) -> Iterator[None]:
    """A file that takes all the space that is left, until the block ends."""
    file = folder / "ballast"
    fill(file)
    try:
        yield
    finally:
        file.unlink()


def fill(file: Path) -> None:
    """Let a file grow until its disk is full."""
    with file.open("ab", buffering=0) as heavy:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    heavy.write(b"0" * size)
            except OSError:
                continue
