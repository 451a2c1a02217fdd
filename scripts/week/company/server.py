"""`jit serve` in a process of its own: started, stopped, killed and started again."""

import json
import subprocess
import sys
import time
from typing import Any

from scripts.week.company.firm import PATIENCE_SECONDS, Firm, Stuck

STOP_SECONDS = 300.0
"""Guards against hanging only."""


class Server:
    """The firm's server, while it runs."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.owner_key = ""

    @property
    def runs(self) -> bool:
        """Whether it was started, and neither stopped nor killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start it and wait until it answers. Stuck when it ends instead."""
        with self._firm.log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve", "--port", "0"],
                env=self._firm.environment(),
                cwd=self._firm.root,
                stdout=said,
                stderr=said,
            )
        self._firm.witness.listen(self._firm.log)
        told = self._address()
        self.url, self.owner_key = str(told["url"]), str(told["key"])

    def stop(self) -> None:
        """Ask it to end, and wait; nothing when none runs. Stuck, and it is killed, when it does not end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise Stuck(f"jit serve did not end within {STOP_SECONDS:.0f} s of being asked to") from error
        self._process = None

    def kill(self) -> None:
        """What a power cut does to it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _address(self) -> dict[str, Any]:
        file, until = self._firm.home / "server.json", time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise Stuck(f"jit serve ended by itself: {self._firm.log.read_text(encoding='utf-8')[-400:]}")
            told = _read(file)
            if told.get("pid") == self._process.pid:
                return told
            time.sleep(0.05)
        raise Stuck("jit serve did not answer")


def _read(file: Any) -> dict[str, Any]:
    """What a server left; a killed one leaves its own behind."""
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
