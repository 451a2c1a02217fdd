"""The JSON API over HTTP: roles, errors, streaming, and the client that speaks to it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from integration.web.running_app import running
from integration.web.web_members import team
from integration.web.web_session import InMemorySession
from pydantic import SecretStr

from graph.views.runs import Trigger, TriggerKind
from scripts.week.company.firm import Firm
from scripts.week.company.wire import Wire
from tools.domain.errors import BadInput, Conflict, NotAllowed, NotFound, OutOfReach
from web.api import create_app
from web.auth import OWNER, WithOwner
from web.client import RemoteSession
from web.errors import SignInNeeded
from web.settings import WebSettings

Remote = Callable[[str], RemoteSession]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def session() -> InMemorySession:
    return InMemorySession()


@pytest.fixture
def http(session: InMemorySession, tmp_path: Path) -> Iterator[httpx.Client]:
    settings = WebSettings(home=tmp_path, webhook_secret=SecretStr(SECRET), max_body_bytes=20_000)
    app = create_app(session, WithOwner(team(), "owner-key"), settings)
    with running(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client
    app.state.live.close()


@pytest.fixture
def remote(http: httpx.Client) -> Iterator[Callable[[str], RemoteSession]]:
    """The client of whoever holds a key."""
    with ExitStack() as opened:
        yield lambda key: opened.enter_context(RemoteSession(str(http.base_url), key))


def test_who_lives_through_a_week_reads_a_list_to_its_end(
    session: InMemorySession, http: httpx.Client, tmp_path: Path
) -> None:
    session.start(plan())
    whole = http.get("/api/journal", headers=as_user("ana")).json()
    wire = Wire(Firm(tmp_path, 1, 7), str(http.base_url), "ana", "key-ana")
    assert len(whole) > 3
    assert wire.every("/api/journal", 3) == whole == wire.every("/api/journal")
    wire.close()


def as_user(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key-{name}"}


def plan(actor: str = "ana", *items: str) -> Trigger:
    return Trigger(kind=TriggerKind.CLI, actor=actor, reason="weekly", item_ids=items)


@pytest.mark.parametrize("path", ["runs", "approvals", "messages", "journal", "journal/verify", "status"])
def test_nothing_is_told_without_a_key(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/api/{path}")
    assert answer.status_code == 401
    assert answer.json()["code"] == SignInNeeded.code
    assert http.get(f"/api/{path}", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_health_needs_no_key_and_tells_nothing(http: httpx.Client) -> None:
    assert http.get("/api/health").json() == {"status": "ok"}


def test_a_viewer_reads_but_starts_nothing(http: httpx.Client, session: InMemorySession) -> None:
    assert http.get("/api/runs", headers=as_user("vic")).json() == []
    for path, body in [("runs", {}), ("ask", {"question": "replan"}), ("halt", {"on": True}), ("observe", {})]:
        answer = http.post(f"/api/{path}", headers=as_user("vic"), json=body)
        assert answer.status_code == 403, path
    assert not session.plans
    assert not session.halted


@pytest.mark.parametrize(
    ("who", "path", "body", "status"),
    [
        ("ana", "halt", {"on": True}, 403),
        ("bo", "halt", {"on": True}, 200),
        ("bo", "halt", {"on": False}, 403),
        ("mia", "halt", {"on": False}, 200),
        ("bo", "rollback", {"point_id": "ds-1-x"}, 403),
        ("mia", "rollback", {"point_id": "ds-1-x"}, 200),
        ("mia", "import", {"folder": "somewhere"}, 403),
    ],
)
def test_each_action_asks_for_its_role(http: httpx.Client, who: str, path: str, body: object, status: int) -> None:
    assert http.post(f"/api/{path}", headers=as_user(who), json=body).status_code == status


def test_steps_come_as_lines_and_the_run_is_stored(http: httpx.Client, session: InMemorySession) -> None:
    headers = {**as_user("ana"), "Accept": "application/x-ndjson"}
    with http.stream("POST", "/api/runs", headers=headers, json={"reason": "weekly"}) as answer:
        assert answer.status_code == 201
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        steps = [json.loads(line) for line in answer.iter_lines()]
    assert [step["node"] for step in steps] == ["sense", "estimate", "choose_plan", "gate_lines"]
    assert session.runs()[0].trigger.actor == "ana"
    assert session.runs()[0].trigger.reason == "weekly"


def test_a_run_that_cannot_start_answers_an_error_and_no_empty_stream(http: httpx.Client) -> None:
    headers = {**as_user("ana"), "Accept": "application/x-ndjson"}
    answer = http.post("/api/runs", headers=headers, json={"item_ids": ["nothing"]})
    assert answer.status_code == 404
    assert answer.json()["context"] == {"item_id": "nothing"}


def test_a_misspelt_field_is_refused_by_name(http: httpx.Client) -> None:
    answer = http.post("/api/runs", headers=as_user("ana"), json={"items": ["I-101"]})
    assert answer.status_code == 400
    assert "items" in answer.json()["message"]


def test_the_client_sees_what_the_session_holds(remote: Remote, session: InMemorySession) -> None:
    client = remote("key-mia")
    steps = list(client.stream(trigger=plan("somebody")))
    run_id = steps[-1].run_id
    assert client.plan() == session.plan(run_id)
    assert client.plan(run_id).run.trigger.actor == "mia"
    assert list(client.runs()) == list(session.runs())
    assert list(client.pending()) == list(session.pending())
    assert list(client.stream(run_id=run_id)) == list(session.plan(run_id).steps)
    assert client.explain(run_id, "I-101") == session.explain(run_id, "I-101")
    assert client.replay(run_id)["identical"] is True
    assert list(client.journal(run_id)) == list(session.journal(run_id))
    assert client.verify_journal() == session.verify_journal()
    assert client.observe(3)["advanced_days"] == 3
    assert client.halt("mia")["halted"] is True
    assert client.status()["halted"] is True
    assert client.rollback("ds-0-first", "mia") == {"active": "ds-0-first"}
    assert client.start(plan("mia", "I-101")) == "run-002"


def test_a_question_is_answered_with_its_sources_and_remembered(remote: Remote) -> None:
    client = remote("key-ana")
    client.start(plan())
    answer = client.ask("Why I-101?", actor="ana")
    assert "22 x (18 + 7 + 30)" in answer.text
    assert answer.sources == ("L-01",)
    assert [message["role"] for message in client.messages()] == ["user", "assistant"]


def test_a_decision_binds_to_what_was_seen_and_is_taken_once(remote: Remote) -> None:
    client = remote("key-mia")
    client.start(plan())
    approval = client.pending()[0]
    with pytest.raises(Conflict) as stale:
        client.decide(approval.approval_id, "approve", "mia", content_hash="0" * 64)
    assert stale.value.context == {"approval_id": approval.approval_id}
    line = approval.lines[0]
    edited = client.decide(
        approval.approval_id, "edit", "mia", "fewer", content_hash=approval.content_hash, edits={line.line_id: 100}
    )
    assert edited.lines[0].quantity == 100
    assert edited.decided_by == "mia"
    with pytest.raises(Conflict):
        client.decide(approval.approval_id, "approve", "mia")
    assert client.approval(approval.approval_id).status == "edited"


def test_a_buyer_may_not_sign_what_needs_a_manager(remote: Remote) -> None:
    client = remote("key-bo")
    client.start(plan())
    costly = next(approval for approval in client.pending() if approval.tier == "manager")
    with pytest.raises(NotAllowed, match="needs a manager"):
        client.decide(costly.approval_id, "approve", "mia")


def test_only_the_owners_key_acts_under_another_name(remote: Remote, session: InMemorySession) -> None:
    remote("key-ana").start(plan("mia"))
    assert session.runs()[0].trigger.actor == "ana"
    owner = remote("owner-key")
    owner.start(plan("zoe"))
    assert session.runs()[0].trigger.actor == "zoe"
    owner.start(plan(""))
    assert session.runs()[0].trigger.actor == OWNER


def test_errors_come_back_as_the_classes_they_were(remote: Remote) -> None:
    client = remote("key-mia")
    with pytest.raises(NotFound) as missing:
        client.plan("run-999")
    assert missing.value.code == NotFound.code
    assert missing.value.remedy == "Start one."
    with pytest.raises(NotAllowed, match="needs admin"):
        client.receive_alert("m", {}, "s")
    with pytest.raises(BadInput):
        remote("key-ada").import_folder("somewhere")
    with pytest.raises(SignInNeeded):
        remote("nobody").runs()


@pytest.mark.parametrize("key", ["key-vic", "key-ana", "key-bo", "key-mia"])
def test_only_an_admin_gives_an_alert_by_hand(remote: Remote, session: InMemorySession, key: str) -> None:
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "phone",
        "type": "supplier.alert",
        "data": {"kind": "delay", "node_id": "NORTHWIND", "delay_days": 14},
    }
    with pytest.raises(NotAllowed, match="needs admin"):
        remote(key).receive_alert("m-1", event, "by hand", "ada")
    assert not session.inbox
    remote("key-ada").receive_alert("m-1", event, "by hand", "mia")
    assert session.given_by == {"m-1": "ada"}, "the key says who gives it"
    with pytest.raises(BadInput, match="delay_days"):
        remote("key-ada").receive_alert("m-2", {**event, "data": {**event["data"], "delay_days": -1}}, "by hand")  # type: ignore[dict-item] # data is an object
    assert set(session.inbox) == {"m-1"}


def test_a_server_that_is_gone_is_out_of_reach() -> None:
    with RemoteSession("http://127.0.0.1:9", "key") as client, pytest.raises(OutOfReach, match="jit serve"):
        client.runs()


def test_a_large_body_is_refused(http: httpx.Client, session: InMemorySession) -> None:
    answer = http.post("/api/ask", headers=as_user("ana"), json={"question": "x" * 30_000})
    assert answer.status_code == 413
    chunks = (b"x" * 5_000 for _ in range(10))
    answer = http.post("/api/ask", headers=as_user("ana"), content=chunks)
    assert answer.status_code in (400, 413)
    assert not session.talk


def test_every_answer_forbids_framing_and_other_origins(http: httpx.Client) -> None:
    policy = http.get("/api/health").headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


LISTS = ("approvals", "journal", "datasets", "forecasts", "backtests")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_comes_in_pages_that_tell_how_many_rows_there_are(
    http: httpx.Client, session: InMemorySession, path: str
) -> None:
    session.start(plan())
    session.backtest()
    whole = http.get(f"/api/{path}", headers=as_user("vic"))
    assert int(whole.headers["X-Total-Count"]) == len(whole.json()) > 0
    rows = [
        http.get(f"/api/{path}", headers=as_user("vic"), params={"limit": 1, "offset": place}).json()
        for place in range(len(whole.json()) + 1)
    ]
    assert [row for page in rows for row in page] == whole.json()
    assert rows[-1] == []


def test_the_client_reads_every_page(remote: Remote, session: InMemorySession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.client.LONGEST_PAGE", 2)
    session.start(plan())
    assert len(session.pending()) > 2
    everything = session.pending()
    assert remote("key-vic").pending() == everything
    for limit, offset in ((1, 0), (2, 1), (3, 1), (1, len(everything)), (0, 0), (None, 1)):
        assert list(remote("key-vic").pending(limit, offset)) == everything[offset:][:limit]
    assert remote("key-vic").journal() == session.journal()


def test_a_plan_is_cut_with_its_counts_and_its_parts_together_are_all_of_it(
    http: httpx.Client, remote: Remote, session: InMemorySession
) -> None:
    whole = session.plan(session.start(plan()))
    assert len(whole.lines) > 2
    first, second = (
        http.get("/api/runs/latest", headers=as_user("vic"), params={"limit": 2, "offset": offset}).json()
        for offset in (0, 2)
    )
    assert first["counts"] == second["counts"]
    assert first["counts"]["lines"] == len(whole.lines)
    assert [line["line_id"] for line in first["lines"] + second["lines"]] == [one.line_id for one in whole.lines[:4]]
    assert remote("key-vic").plan() == whole
    assert not remote("key-vic").plan(series=False).outlooks[0].history


def test_what_waits_its_stamp_and_one_outlook_are_told_as_the_session_tells_them(
    remote: Remote, session: InMemorySession
) -> None:
    session.start(plan())
    client = remote("key-vic")
    assert client.waiting(1, 1) == session.waiting(1, 1)
    assert client.waiting(5, search="tokai").matching == 1
    assert client.outlook("I-101") == session.outlook("I-101")
    before = client.stamp()
    assert before == session.stamp()
    session.ask("Why I-101?", actor="ana")
    assert client.stamp() != before


def test_the_description_names_every_route(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert {
        "/api/runs",
        "/api/runs/{run_id}",
        "/api/approvals",
        "/api/waiting",
        "/api/stamp",
        "/api/runs/{run_id}/outlook",
        "/api/approvals/{approval_id}/decide",
        "/api/ask",
        "/api/messages",
        "/api/journal",
        "/api/journal/verify",
        "/api/observe",
        "/api/halt",
        "/api/status",
        "/api/runs/{run_id}/replay",
        "/api/rollback",
        "/api/alerts",
    } <= set(paths)
