"""Settings of the web doors, with secrets that are generated once and kept under the home folder."""

import base64
import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from graph.settings import Settings
from store.private import private_folder


class WebSettings(BaseModel):
    """What the API and the workbench need to know."""

    model_config = ConfigDict(frozen=True)

    home: Path
    webhook_secret: SecretStr
    """Standard Webhooks secret, `whsec_` and base64."""
    public_url: str = ""
    """Where people reach the server through a proxy, such as https://plans.example; empty without one."""
    trusted_proxy: str = ""
    """Addresses, with commas, whose word on the visitor's address and scheme is taken; empty for nobody's."""
    max_body_bytes: int = 64 * 1024
    session_hours: float = 12.0
    wrong_links_per_address: int = 10
    wrong_links_overall: int = 200
    wrong_links_seconds: float = 60.0
    """An address that opened so many wrong links within these seconds waits until they are over."""
    refresh_seconds: float = 2.0

    @property
    def server_file(self) -> Path:
        """Written by a running server; tells the command line where it answers."""
        return self.home / "server.json"


def web_settings(settings: Settings) -> WebSettings:
    """Settings of the web doors of an installation; makes its secrets on first use."""
    kept = _kept_secrets(settings.home / "secrets.json")
    return WebSettings(
        home=settings.home,
        webhook_secret=SecretStr(settings.webhook_secret.get_secret_value() or kept["webhook"]),
        public_url=settings.public_url.rstrip("/"),
        trusted_proxy=settings.trusted_proxy,
    )


def _kept_secrets(path: Path) -> dict[str, str]:
    """Read, or make and write for the owner's eyes only."""
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    made = {"webhook": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()}
    write_private(path, json.dumps(made))
    return made


def write_private(path: Path, text: str) -> None:
    """Write a file in one step that only its owner can read."""
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
