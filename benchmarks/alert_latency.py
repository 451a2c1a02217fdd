"""From a signed webhook to a gated plan: a real server on the loopback, the demo world, one alert after another."""

import argparse
import json
import logging
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
from standardwebhooks import Webhook

from benchmarks.cases.server_process import serving
from benchmarks.figures import Figure, quick_asked, report
from evals.worlds.demo import AS_OF, ITEMS, make_demo_world
from evals.worlds.folder import write_folder
from graph.session import open_session
from graph.settings import Settings
from web.settings import web_settings

PATIENCE_SECONDS = 60.0
"""How long a server may take to start, and an alert to its plan."""


def _send(client: httpx.Client, webhook: Webhook, message_id: str, node_id: str) -> float:
    """Seconds from sending one alert to its gated plan."""
    event = {
        "specversion": "1.0",
        "id": message_id,
        "source": "benchmark",
        "type": "supplier.alert",
        "data": {"kind": "delay", "node_id": node_id, "delay_days": 30},
    }
    body, now = json.dumps(event), datetime.now(UTC)
    signed = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign(message_id, now, body),
        "content-type": "application/json",
    }
    started = time.perf_counter()
    client.post("/api/alerts", content=body, headers=signed).raise_for_status()
    while time.perf_counter() - started < PATIENCE_SECONDS:
        alerts = client.get("/api/alerts").raise_for_status().json()
        found = next(alert for alert in alerts if alert["message_id"] == message_id)
        if found["status"] == "done":
            return time.perf_counter() - started
        if found["status"] == "failed":
            raise RuntimeError(found["error"])
        time.sleep(0.02)
    raise TimeoutError(f"alert {message_id} reached no plan")


def measure(items: int, alerts: int) -> dict[str, Figure]:
    """Median and 95th percentile over alerts about the suppliers in turn; the first one finds every cache cold."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        home, world = Path(folder) / "home", make_demo_world(items=items)
        write_folder(world.dataset, Path(folder) / "world")
        settings = Settings(home=home)
        with closing(open_session(settings)) as session:
            session.import_folder(str(Path(folder) / "world"), as_of=AS_OF)
        webhook = Webhook(web_settings(settings).webhook_secret.get_secret_value())
        suppliers = sorted(world.dataset.suppliers)
        with serving(home) as (url, key):
            client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE_SECONDS)
            with client:
                taken = [
                    _send(client, webhook, f"m-{number}", suppliers[number % len(suppliers)])
                    for number in range(alerts)
                ]
    told = f"{items} items, {alerts} alerts over HTTP"
    return {
        "median_s": Figure(statistics.median(taken), "s", "<= 5", told),
        "p95_s": Figure(sorted(taken)[int(0.95 * (len(taken) - 1))], "s", "<= 5", told),
        "first_s": Figure(taken[0], "s", "<= 5", "cold caches"),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=ITEMS)
    asked = parser.parse_known_args()[0]
    print(report("alert_latency", measure(asked.items, 6 if quick_asked() else 20)))
