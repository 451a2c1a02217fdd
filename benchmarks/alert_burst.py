"""A burst of alerts about a few suppliers: a real server on the loopback, signed webhooks, until all are planned."""

import json
import logging
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook

from benchmarks.cases.server_process import PATIENCE_SECONDS, serving
from benchmarks.figures import Figure, quick_asked, report
from evals.worlds.demo import AS_OF, make_demo_world
from evals.worlds.folder import write_folder
from graph.session import open_session
from graph.settings import Settings
from web.settings import web_settings

SUPPLIERS = ("S01", "S02", "S05")
SETTLED = ("done", "failed")


@contextmanager
def _server(home: Path) -> Generator[httpx.Client]:
    """A client of `jit serve` on a free port, with the owner's key."""
    with serving(home) as (url, key):
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60.0, trust_env=False) as client:
            yield client


def _send(client: httpx.Client, webhook: Webhook, message_id: str, node_id: str, delay_days: int) -> None:
    content = {"kind": "delay", "node_id": node_id, "delay_days": delay_days}
    event = {"specversion": "1.0", "id": message_id, "source": "benchmark", "type": "supplier.alert", "data": content}
    body, now = json.dumps(event), datetime.now(UTC)
    signed = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign(message_id, now, body),
        "content-type": "application/cloudevents+json",
    }
    client.post("/api/alerts", content=body, headers=signed).raise_for_status()


def _until_settled(client: httpx.Client, wanted: int) -> Sequence[dict[str, Any]]:
    until, settled = time.monotonic() + PATIENCE_SECONDS, list[dict[str, Any]]()
    while time.monotonic() < until:
        alerts = client.get("/api/alerts", params={"limit": 500}).raise_for_status().json()
        settled = [alert for alert in alerts if alert["status"] in SETTLED]
        if len(settled) == wanted:
            return settled
        time.sleep(0.1)
    raise TimeoutError(f"only {len(settled)} of {wanted} alerts were planned")


def _alone(client: httpx.Client, webhook: Webhook, number: int) -> float:
    """Seconds until the number-th alert, sent alone, is planned."""
    started = time.perf_counter()
    _send(client, webhook, f"single-{number}", SUPPLIERS[0], 20 + number)
    _until_settled(client, number)
    return time.perf_counter() - started


def measure(alerts: int) -> dict[str, Figure]:
    """Seconds until a burst is planned, and the same against one alert alone, which finds every cache warm."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        home, world = Path(folder) / "home", make_demo_world()
        write_folder(world.dataset, Path(folder) / "world")
        settings = Settings(home=home)
        with closing(open_session(settings)) as session:
            session.import_folder(str(Path(folder) / "world"), as_of=AS_OF)
        webhook = Webhook(web_settings(settings).webhook_secret.get_secret_value())
        with _server(home) as client:
            _alone(client, webhook, 1)
            alone = _alone(client, webhook, 2)
            started = time.perf_counter()
            for number in range(alerts):
                _send(client, webhook, f"m-{number}", SUPPLIERS[number % len(SUPPLIERS)], 14 + number % 21)
            sent = time.perf_counter() - started
            settled = _until_settled(client, alerts + 2)
            taken = time.perf_counter() - started
    runs = len({alert["run_id"] for alert in settled if alert["message_id"].startswith("m-")})
    failed = sum(alert["status"] == "failed" for alert in settled)
    told = f"{alerts} signed alerts about {len(SUPPLIERS)} suppliers, sent in {sent:.1f} s; {failed} failed"
    return {
        "planned_s": Figure(taken, "s", "<= 30", told),
        "runs": Figure(float(runs), "runs", "<= 20", "a run for all that wait about the same items"),
        "against_one_alert": Figure(taken / alone, "times", "<= 20", f"one alert alone took {alone:.2f} s"),
    }


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--alerts", type=int, default=30 if quick_asked() else 200)
    print(report("alert_burst", measure(parser.parse_known_args()[0].alerts)))
