"""A server whose disk is full: what it has accepted is done when there is space again, once, without a restart."""

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from demo_home import demo_home, settings_of
from serving import PATIENCE_SECONDS, Served, ballast, fill, served, small_disk

from store.operations import Operations

MEGABYTES = 160


def _until(server: Served, reached: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert server.process.poll() is None, "the server ended"
        assert time.monotonic() < until, what
        time.sleep(0.2)


def _alerts(server: Served) -> dict[str, dict[str, Any]]:
    return {alert["message_id"]: alert for alert in server.get("/api/alerts", limit=500)}


def _parts(server: Served) -> dict[str, dict[str, Any]]:
    return {part["part"]: part for part in server.get("/api/diagnosis")}


def _took(answer: httpx.Response, accepted: int) -> bool:
    """Whether it was accepted; a refusal names the full disk."""
    if answer.status_code == accepted:
        return True
    assert answer.status_code == 503, answer.text
    told = answer.json()
    assert told["code"] == "JIT-403", told
    assert "No space is left" in told["message"] and "Free space" in told["remedy"]
    return False


def _decide(server: Served, approval: dict[str, Any]) -> httpx.Response:
    body = {"decision": "approve", "actor": "bob", "content_hash": approval["content_hash"]}
    return server.http.post(f"/api/approvals/{approval['approval_id']}/decide", json=body)


def test_what_was_accepted_on_a_full_disk_is_done_once_when_space_returns(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", MEGABYTES) as disk:
        home = Path(shutil.copytree(demo_home(tmp_path, planned=True), disk / "home"))
        with closing(Operations(settings_of(home).operations_url)) as operations:
            operations.add_user("bob", "manager")
        with served(home, tmp_path / "server.log") as server:
            waiting = server.get("/api/approvals")
            with ballast(disk):
                refused, decided = _work_on_a_full_disk(server, waiting, disk / "ballast")
            for message_id in refused:
                assert server.alert(message_id, **_delay(message_id)).status_code == 202
            _until(server, lambda: _all_done(server), f"not all is done: {_alerts(server)}")
            _once(server, home, decided)
            assert server.get("/api/journal/verify")["ok"]
            _until(server, lambda: all(part["ok"] for part in _parts(server).values()), str(_parts(server)))


def _delay(message_id: str) -> dict[str, object]:
    suppliers = ("S01", "S02", "S05")
    return {"kind": "delay", "node_id": suppliers[int(message_id[2:]) % 3], "delay_days": 30}


def _work_on_a_full_disk(
    server: Served, waiting: list[dict[str, Any]], heavy: Path
) -> tuple[list[str], dict[str, bool]]:
    """Alerts and decisions until something is held up; which alerts were refused, and which decisions were taken."""
    refused: list[str] = []
    decided: dict[str, bool] = {}
    for number in range(40):
        message_id = f"m-{number}"
        if not _took(server.alert(message_id, **_delay(message_id)), 202):
            refused.append(message_id)
        if number < len(waiting):
            decided[waiting[number]["approval_id"]] = _took(_decide(server, waiting[number]), 200)
        fill(heavy)
        told = _parts(server)
        if number > 5 and any("No space is left" in part["detail"] for part in told.values()) and refused:
            break
    held_up = [part for part in told.values() if not part["ok"] and "No space is left" in part["detail"]]
    assert held_up, told
    assert not [alert for alert in _alerts(server).values() if alert["status"] == "failed"]
    assert server.get("/api/runs") and server.get("/api/runs/latest")["run"]
    return refused, decided


def _all_done(server: Served) -> bool:
    alerts = _alerts(server).values()
    assert not [alert for alert in alerts if alert["status"] == "failed"], alerts
    running = [run for run in server.get("/api/runs", limit=500) if run["status"] in ("running", "failed")]
    status = server.get("/api/status")
    settled = all(alert["status"] == "done" for alert in alerts)
    return settled and not running and not status["outbox_waiting"] and not status["journal_lag_rows"]


def _once(server: Served, home: Path, decided: dict[str, bool]) -> None:
    """Each accepted decision reached the ERP once, each alert one run, each run was told once."""
    alerts = _alerts(server)
    told = [message["run_id"] for message in server.get("/api/messages") if message.get("run_id")]
    runs = {alert["run_id"] for alert in alerts.values()}
    assert sorted(told) == sorted(runs)
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as erp:
        placed = erp.execute("SELECT idempotency_key FROM orders WHERE idempotency_key NOT LIKE 'before:%'").fetchall()
        acted = erp.execute("SELECT idempotency_key FROM actions").fetchall()
    with closing(sqlite3.connect(home / "operations.sqlite")) as raw:
        outbox = raw.execute("SELECT action_key, kind, status, approval_id FROM outbox").fetchall()
        done = [key for key, _, status, _ in outbox if status == "done"]
        journalled = raw.execute("SELECT count(*) FROM journal_staging").fetchone()
        undelivered = raw.execute("SELECT count(*) FROM approvals WHERE applied = 0 AND status <> 'pending'").fetchone()
    assert sorted(done) == sorted(key for key, *_ in outbox)
    assert {key for (key,) in placed} <= {key for (key,) in acted} | set(done)
    assert sorted(key for (key,) in placed) == sorted(key for key, kind, *_ in outbox if kind == "place")
    assert undelivered == (0,) and journalled == (0,)
    sent = {approval_id for *_, approval_id in outbox}
    states = {one: server.get(f"/api/approvals/{one}")["status"] for one, taken in decided.items() if taken}
    assert all(status == "approved" for status in states.values()), states
    assert set(states) <= sent
    erp_rows = [row for row in server.get("/api/journal") if row["event"] == "erp"]
    assert sorted(
        json.dumps(row["payload"]["action_key"]) for row in erp_rows if row["payload"]["outcome"] == "done"
    ) == (sorted(json.dumps(key) for key in done))
