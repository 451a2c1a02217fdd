"""The signed webhook: what is let in, and that nothing starts otherwise."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from integration.web.running_app import running
from integration.web.web_members import team
from integration.web.web_session import InMemorySession
from pydantic import SecretStr
from standardwebhooks import Webhook

from web.api import create_app
from web.settings import WebSettings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT: dict[str, object] = {
    "specversion": "1.0",
    "id": "event-1",
    "type": "supplier.alert",
    "source": "https://supplier.example/edi",
    "time": "2026-06-30T08:00:00Z",
    "datacontenttype": "application/json",
    "data": {"kind": "delay", "node_id": "NORTHWIND", "delay_days": 14},
}


@pytest.fixture
def session() -> InMemorySession:
    return InMemorySession()


@pytest.fixture
def http(session: InMemorySession, tmp_path: Path) -> Iterator[httpx.Client]:
    settings = WebSettings(home=tmp_path, webhook_secret=SecretStr(SECRET))
    with (
        running(create_app(session, team(), settings)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def send(http: httpx.Client, body: str, *, message_id: str = "m-1", age_seconds: float = 0.0) -> httpx.Response:
    at = datetime.now(UTC) - timedelta(seconds=age_seconds)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(message_id, at, body),
        "content-type": "application/cloudevents+json",
    }
    return http.post("/api/alerts", content=body.encode(), headers=headers)


def test_a_signed_alert_is_stored_under_its_message_id(http: httpx.Client, session: InMemorySession) -> None:
    answer = send(http, json.dumps(EVENT))
    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    assert session.inbox["m-1"]["data"] == {"kind": "delay", "node_id": "NORTHWIND", "delay_days": 14}
    assert session.inbox["m-1"]["source"] == EVENT["source"]


def test_words_alone_are_an_alert_for_the_extractor(http: httpx.Client, session: InMemorySession) -> None:
    assert send(http, json.dumps({**EVENT, "data": {"text": "Our plant is flooded."}})).status_code == 202
    assert session.inbox["m-1"]["data"] == {"text": "Our plant is flooded."}


def test_the_same_message_again_is_a_conflict(http: httpx.Client, session: InMemorySession) -> None:
    send(http, json.dumps(EVENT))
    answer = send(http, json.dumps(EVENT))
    assert answer.status_code == 409
    assert len(session.inbox) == 1


def test_an_unsigned_alert_is_refused(http: httpx.Client, session: InMemorySession) -> None:
    answer = http.post("/api/alerts", json=EVENT)
    assert answer.status_code == 401
    assert "Standard Webhooks" in answer.json()["remedy"]
    assert not session.inbox


@pytest.mark.parametrize("signature", ["v1,AAAA", "v1", "", "v1,!!", "v2,AAAA", "v1,ä"])
def test_a_wrong_signature_is_refused(http: httpx.Client, session: InMemorySession, signature: str) -> None:
    now = str(int(datetime.now(UTC).timestamp()))
    headers = [
        (b"webhook-id", b"m"),
        (b"webhook-timestamp", now.encode()),
        (b"webhook-signature", signature.encode("utf-8")),
    ]
    answer = http.post("/api/alerts", content=json.dumps(EVENT), headers=headers)
    assert answer.status_code == 401
    assert not session.inbox


def test_a_body_changed_after_signing_is_refused(http: httpx.Client, session: InMemorySession) -> None:
    body = json.dumps(EVENT)
    at = datetime.now(UTC)
    headers = {
        "webhook-id": "m",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("m", at, body),
    }
    assert http.post("/api/alerts", content=body.replace("14", "1"), headers=headers).status_code == 401
    assert not session.inbox


@pytest.mark.parametrize("age_seconds", [360.0, -360.0])
def test_a_stale_or_future_alert_is_refused(http: httpx.Client, session: InMemorySession, age_seconds: float) -> None:
    assert send(http, json.dumps(EVENT), age_seconds=age_seconds).status_code == 401
    assert not session.inbox


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("not json", "no JSON"),
        ("[" * 20_000 + "]" * 20_000, "no JSON"),
        ("[]", "CloudEvents"),
        (json.dumps({"kind": "delay"}), "CloudEvents"),
        (json.dumps({**EVENT, "specversion": "0.3"}), "CloudEvents"),
        (json.dumps({key: value for key, value in EVENT.items() if key != "id"}), "id"),
        (json.dumps({**EVENT, "type": "supplier.invoice"}), "supplier.invoice"),
        (json.dumps({**EVENT, "time": "yesterday"}), "not valid"),
        (json.dumps({**EVENT, "data": {"kind": "explosion", "node_id": "N"}}), "kind"),
        (json.dumps({**EVENT, "data": {"kind": "delay"}}), "node_id"),
        (json.dumps({**EVENT, "data": {"kind": "delay", "node_id": "N", "delay_days": -1}}), "delay_days"),
        (json.dumps({**EVENT, "data": {"kind": "delay", "node_id": "N", "delay": 3}}), "delay"),
        (json.dumps({**EVENT, "data": "boom"}), "no alert"),
        (
            json.dumps({**EVENT, "data": {"text": "x", "starts": "2026-07-02", "until": "2026-07-01"}}),
            "until lies before starts",
        ),
    ],
)
def test_a_signed_body_that_is_no_alert_is_told_why(
    http: httpx.Client, session: InMemorySession, body: str, reason: str
) -> None:
    answer = send(http, body)
    assert answer.status_code == 400, answer.text
    assert reason in answer.json()["message"]
    assert not session.inbox


def test_an_oversized_alert_is_refused_before_its_signature_is_checked(
    http: httpx.Client, session: InMemorySession
) -> None:
    assert send(http, json.dumps({**EVENT, "data": {"text": "x" * 70_000}})).status_code == 413
    assert not session.inbox
