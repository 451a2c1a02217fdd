"""Whatever is sent over HTTP, a real session answers for it: never a fault, and a 400 names the field."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
import schemathesis
from demo_home import demo_session
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from integration.web.running_app import running
from integration.web.signed_alerts import SECRET, signed
from integration.web.web_members import team
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from graph.session import LocalSession
from tools.domain.errors import BadInput
from web.api import create_app
from web.auth import WithOwner
from web.settings import WebSettings

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
PATIENCE_SECONDS = 120.0
KEY = {"Authorization": "Bearer key-ada"}
AS_JSON = {**KEY, "content-type": "application/json"}
ALERT: dict[str, object] = {"kind": "delay", "node_id": "S01", "delay_days": 14}
EVENT: dict[str, object] = {
    "specversion": "1.0",
    "id": "event-1",
    "type": "supplier.alert",
    "source": "https://supplier.example/edi",
    "time": "2026-06-30T08:00:00Z",
    "data": {"text": "Nothing of note."},
}
BODIES: dict[str, dict[str, object]] = {
    "/api/runs": {"item_ids": ["none such"], "reason": "weekly", "dataset_version": None},
    "/api/approvals/none/decide": {"decision": "edit", "reason": "", "content_hash": "x", "edits": {"a": 1.0}},
    "/api/approvals/none/withdraw": {"reason": "late"},
    "/api/runs/none/cancel": {"reason": "wrong file"},
    "/api/ask": {"question": "Which items run out?", "conversation": "main"},
    "/api/estimates/active": {"version": "none", "reason": ""},
    "/api/backtests": {"version": "none"},
    "/api/observe": {"advance_days": -1},
    "/api/halt": {"on": True},
    "/api/rollback": {"point_id": "none"},
    "/api/import": {"folder": "/nowhere", "as_of": "2026-06-30", "lenient": False},
    "/api/alerts": EVENT,
}
"""A body of every route that takes one, which starts nothing that would take long."""


@dataclass(frozen=True)
class Door:
    """A running server over a real session."""

    http: httpx.Client
    session: LocalSession

    def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send a body as it is, signed where the route asks for it."""
        given = signed(body) if path == "/api/alerts" else AS_JSON
        return self.http.post(path, content=body, headers={**given, **(headers or {})})


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home = tmp_path_factory.mktemp("hostile")
    web = WebSettings(home=home, webhook_secret=SecretStr(SECRET))
    with demo_session(home) as session:
        app = create_app(session, WithOwner(team(), "owner-key"), web)
        with running(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            yield Door(http, session)
        app.state.live.close()


def problem(answer: httpx.Response) -> str:
    """The message of an error in our form."""
    told = answer.json()
    assert set(told) == {"code", "message", "remedy", "context"}, told
    assert told["remedy"]
    return str(told["message"])


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def event(**changed: object) -> str:
    return json.dumps({**EVENT, **changed})


def alert(**changed: object) -> str:
    return event(data={**ALERT, **changed})


@pytest.mark.parametrize("key", ["key-ana", "owner-key"])
@pytest.mark.parametrize(
    ("alerts", "field"),
    [
        ([], "kind: an alert starts a run through POST /api/alerts only"),
        ([{"kind": "delay"}], "alerts"),
        ([{"alert_id": "a", "kind": "delay", "node_id": "NOPE", "received_at": "2026-06-30T00:00:00Z"}], "alerts"),
    ],
)
def test_an_alert_starts_a_run_through_the_alert_door_only(
    door: Door, key: str, alerts: list[object], field: str
) -> None:
    before = door.session.runs(1)
    body = json.dumps({"kind": "alert", **({"alerts": alerts} if alerts else {})})
    answer = door.post("/api/runs", body.encode(), {"Authorization": f"Bearer {key}"})
    assert answer.status_code == 400
    assert field in problem(answer)
    assert door.session.runs(1) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (alert(starts="9999-12-30"), "starts"),
        (event(id="\ud800"), "id"),
        (event(source="\ud800"), "source"),
        (event(type="alert.\udfff"), "type"),
        (event(subject="\ud800"), "subject"),
        (event(extra="\ud800"), "extra"),
        (event(**{"\ud800": "x"}), "\\ud800"),
        (event(data={"text": "\ud800"}), "data.text"),
        (event(data={"text": "x", "\ud800": 1}), "data.\\ud800"),
        (alert(node_id="S01\0"), "data.node_id"),
        (event(source="a\0b"), "source"),
        (event()[:-1] + f',"extra":{nested(900)}}}', "extra: nested deeper"),
        (event()[:-1] + f',"extra":{nested(33)}}}', "extra: nested deeper"),
        (event()[:-1] + f',"extra":{nested(20_000)}}}', "no JSON"),
        (event(extra=10**30), "extra"),
        (event(extra=10**400), "extra"),
        (event(extra=float("nan")), "extra"),
        (alert(capacity_fraction=float("nan")), "capacity_fraction"),
        (alert(delay_days=float("inf")), "delay_days"),
        (alert().replace("14", "1e999"), "delay_days"),
        (alert().replace("14", "9" * 5000), "no JSON"),
        (event(time=1), "time"),
        (event(time=None), "time"),
        (event(type=["alert"]), "type"),
        (event(datacontenttype=None), "datacontenttype"),
        (event(data_base64="!!"), "data_base64"),
        (event(data=[]), "data"),
    ],
    ids=lambda value: ascii(value)[-60:] if len(value) > 60 else None,
)
def test_a_signed_alert_that_cannot_be_kept_is_told_which_field(door: Door, body: str, field: str) -> None:
    answer = door.post("/api/alerts", body.encode())
    assert answer.status_code == 400, answer.text
    assert field in problem(answer)


@pytest.mark.parametrize(
    ("data", "field"),
    [({**ALERT, "starts": "9999-12-30"}, "starts"), ({"text": "\ud800"}, "data.text"), ({"text": "a\0"}, "data.text")],
)
def test_the_command_lines_door_has_the_same_bounds(door: Door, data: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput, match=field):
        door.session.receive_alert("by-hand", {**EVENT, "data": data}, "cli")
    assert all(row.message_id != "by-hand" for row in door.session.alerts())


def test_signed_bytes_that_are_no_text_are_told_where(door: Door) -> None:
    answer = door.post("/api/alerts", b'{"id":"\xff"}')
    assert (answer.status_code, problem(answer)) == (400, "body: no UTF-8 at byte 7.")
    body = event().encode()
    answer = door.post("/api/alerts", body, signed(body, "x" * 201))
    assert (answer.status_code, problem(answer)) == (400, "webhook-id: longer than 200 characters.")


@pytest.mark.parametrize("timestamp", ["nan", "inf", "-inf", "9" * 400, "-62135596800", "253402300800", "", "²"])
def test_a_timestamp_from_beyond_the_calendar_is_no_signature(door: Door, timestamp: str) -> None:
    headers = {**signed(b"{}"), "webhook-timestamp": timestamp}
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert door.http.post("/api/alerts", content=b"{}", headers=sent).status_code == 401


def test_a_closure_without_an_end_in_sight_is_planned_like_any_other(door: Door) -> None:
    body = alert(kind="site_down", delay_days=0, capacity_fraction=0.0, until="9999-12-31").encode()
    message_id = "closed-for-good"
    assert door.post("/api/alerts", body, signed(body, message_id)).status_code == 202
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        row = next(row for row in door.session.alerts() if row.message_id == message_id)
        if row.status in ("done", "failed"):
            break
        time.sleep(0.05)
    assert (row.status, row.error) == ("done", "")


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"nan",
        b'{"reason":"\xff"}',
        b'{"\\ud800":1}',
        b'{"more":"\\udfff"}',
        b'{"more":"\\u0000"}',
        b'{"more":NaN}',
        b'{"more":-Infinity}',
        b'{"more":1e999}',
        b'{"more":%s}' % (b"9" * 400),
        b'{"more":%s}' % (b"9" * 5000),
        b'{"more":%s}' % nested(900).encode(),
        nested(20_000).encode(),
        b'{"a":' * 5000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_that_is_none_is_refused_at_every_door(door: Door, path: str, body: bytes) -> None:
    answer = door.post(path, body)
    assert answer.status_code == 400, answer.text
    assert problem(answer)


@pytest.mark.parametrize("path", [path for path in BODIES if path != "/api/alerts"])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data", "", "application/json;;=", "a/b; c"]
)
def test_a_body_of_another_type_is_refused(door: Door, path: str, content_type: str) -> None:
    assert door.post(path, b"folder=x&question=y", {"content-type": content_type}).status_code == 400


ODD = [
    "%00",
    "%0A%0D",
    "%FF%FE",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "9" * 400,
    "x" * 8000,
    "%2E%2E%2F",
    "-1",
    "nan",
    "'%22%3B--",
]
NAMED = (
    "/api/runs/{}",
    "/api/runs/{}/steps",
    "/api/runs/{}/explanation",
    "/api/runs/{}/story?line_id=x",
    "/api/runs/{}/replay",
    "/api/approvals/{}",
    "/api/runs/latest/explanation?subject={}",
    "/api/runs/latest/story?line_id={}",
    "/api/journal?run_id={}",
    "/api/messages?conversation={}",
    "/api/forecast?item_id={}",
    "/api/forecast?item_id=I001&site_id={}",
    "/api/forecast?item_id=I001&version={}",
    "/api/forecasts?version={}",
    "/api/backtests?version={}",
    "/api/lead-times?subject={}",
    "/api/lead-times?version={}",
    "/api/runs?limit={}",
    "/api/decided?limit={}",
    "/api/alerts?limit={}",
    "/api/estimates?limit={}",
    "/api/rejects?limit={}",
    "/api/nothing/{}",
)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd[:12])
def test_an_odd_name_or_limit_is_looked_for_and_not_found(door: Door, odd: str) -> None:
    for path in NAMED:
        answer = door.http.get(path.format(odd), headers=KEY)
        assert answer.status_code in (200, 307, 400, 404), f"{path}: {answer.text[:200]}"
        if answer.is_error:
            problem(answer)
        if odd == "%00":
            assert answer.status_code == 400


@pytest.mark.parametrize("as_of", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31", 1e18, -1e18, 10**17])
def test_a_clock_at_the_edge_of_the_calendar_is_refused(door: Door, as_of: object) -> None:
    answer = door.post("/api/import", json.dumps({"folder": "/nowhere", "as_of": as_of}).encode())
    assert answer.status_code == 400
    assert "as_of" in problem(answer)


def test_a_folder_name_that_no_disk_could_hold_is_refused(door: Door) -> None:
    answer = door.post("/api/import", json.dumps({"folder": "x" * 5000}).encode())
    assert answer.status_code == 400
    assert "cannot be read" in problem(answer)


@pytest.mark.parametrize("quantity", ["NaN", "Infinity", "-Infinity", "-1", "1e300", "1e999", "9" * 400, "null", '"x"'])
def test_an_edit_to_a_quantity_that_is_none_is_refused(door: Door, quantity: str) -> None:
    approval = door.session.pending()[0]
    body = f'{{"decision":"edit","edits":{{{json.dumps(approval.lines[0].line_id)}:{quantity}}}}}'
    answer = door.post(f"/api/approvals/{approval.approval_id}/decide", body.encode())
    assert answer.status_code == 400, answer.text
    assert "edit" in problem(answer)
    assert door.session.approval(approval.approval_id) == approval


def test_a_body_that_grows_beyond_the_limit_unannounced_is_too_large(door: Door) -> None:
    chunks = (b"x" * 10_000 for _ in range(10))
    answer = door.http.post("/api/ask", content=chunks, headers=AS_JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "JIT-110")


def test_what_no_route_takes_is_told_in_our_form(door: Door) -> None:
    assert "/api/nothing" in problem(door.http.get("/api/nothing"))
    answer = door.http.put("/api/runs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "PUT" in problem(answer)


HOSTILE = st.one_of(
    st.sampled_from(["\ud800", "\0", "", "x" * 5000, "9999-12-31", "0001-01-01", "-0", "\x1b[2J", "\u202e"]),
    st.text(st.characters(codec=None), max_size=20),
    st.integers(),
    st.sampled_from([10**30, -(2**63) - 1, 2**63, float("nan"), float("inf"), float("-inf"), 1e308, 5e-324, True]),
    st.none(),
    st.recursive(
        st.integers(0, 1), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner)
    ),
)
GENERATED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("path", BODIES)
def test_no_value_in_any_field_ends_in_a_fault(door: Door, path: str) -> None:
    fields = sorted(BODIES[path])

    @GENERATED
    @given(st.sampled_from([*fields, "extra"]), HOSTILE, st.booleans())
    def is_answered(field: str, value: object, inside: bool) -> None:
        kept = BODIES[path].get(field)
        put = {**kept, "node_id": value} if inside and isinstance(kept, dict) else value
        answer = door.post(path, json.dumps({**BODIES[path], field: put}).encode())
        assert answer.status_code < 500, answer.text
        if answer.is_error:
            assert problem(answer)

    is_answered()


EXAMPLES = 10
SLOW_EXAMPLES = 3
SLOW = {"/api/runs", "/api/ask", "/api/observe", "/api/backtests", "/api/runs/{run_id}/replay", "/api/forecasts"}
"""Routes that plan or estimate in earnest."""


# the server plans on threads of this process, and what they draw from `random` is no strategy's
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_route_keeps_to_its_description_over_a_real_session(door: Door, mode: GenerationMode) -> None:
    described = schemathesis.openapi.from_dict(door.http.get("/openapi.json").json())
    operations = [found.ok() for found in described.get_all_operations()]
    assert {operation.path for operation in operations if operation.method == "post"} >= {"/api/alerts", "/api/runs"}
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
            continue  # nothing can be wrong about it

        @settings(GENERATED, max_examples=SLOW_EXAMPLES if operation.path in SLOW else EXAMPLES)
        @given(case=operation.as_strategy(generation_mode=mode))
        def keeps_its_promise(case: schemathesis.Case) -> None:
            answered(door, case)

        keeps_its_promise()


def answered(door: Door, case: schemathesis.Case) -> None:
    """Send a case, under a valid signature where it is an alert, and check the answer against the description."""
    if case.operation.path == "/api/alerts" and case.method == "POST":
        body = json.dumps(case.body if isinstance(case.body, dict | list | str | int | float) else None).encode()
        answer = door.post("/api/alerts", body)
        case.validate_response(answer, checks=CHECKS)
    else:
        case.call_and_validate(base_url=str(door.http.base_url), headers=KEY, checks=CHECKS, timeout=PATIENCE_SECONDS)
