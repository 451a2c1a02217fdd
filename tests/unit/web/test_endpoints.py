"""The table of endpoints is what the API serves, and what the client asks."""

import inspect
from datetime import date
from pathlib import Path
from typing import get_type_hints

import pytest
from fastapi.routing import APIRoute

from web import client, endpoints
from web.bodies import Body
from web.endpoints import Endpoint
from web.routes import decisions, installation, records, runs

TABLE: dict[str, Endpoint[object]] = {
    name: value for name, value in vars(endpoints).items() if isinstance(value, Endpoint)
}
ROUTES = [route for room in (runs, decisions, records, installation) for route in room.ROUTES.routes]


@pytest.mark.parametrize("name", TABLE)
def test_an_endpoint_is_served_as_the_table_says(name: str) -> None:
    endpoint = TABLE[name]
    served = [
        route
        for route in ROUTES
        if isinstance(route, APIRoute)
        and (route.path, route.methods) == (endpoints.PREFIX + endpoint.path, {endpoint.method})
    ]
    assert len(served) == 1
    hints = get_type_hints(served[0].endpoint)
    taken = [hint for hint in hints.values() if isinstance(hint, type) and issubclass(hint, Body)]
    assert taken == ([endpoint.body] if endpoint.body else [])
    assert served[0].status_code == endpoint.status
    if not endpoint.streams:
        assert hints["return"] == endpoint.answer
    assert endpoint.parts <= set(hints)


def test_nothing_is_served_beside_the_table() -> None:
    known = {(endpoints.PREFIX + endpoint.path, endpoint.method) for endpoint in TABLE.values()}
    assert len(known) == len(TABLE)
    served = [(route.path, *route.methods) for route in ROUTES if isinstance(route, APIRoute)]
    assert sorted(served) == sorted(known)


@pytest.mark.parametrize("name", TABLE)
def test_the_client_asks_every_endpoint(name: str) -> None:
    assert f"endpoints.{name}" in inspect.getsource(client)


def test_no_address_is_written_anywhere_else() -> None:
    for file in (*Path("web/routes").glob("*.py"), Path("web/client.py")):
        assert '"/api' not in file.read_text(encoding="utf-8"), file


def test_a_request_puts_names_into_the_path_and_the_rest_into_query_or_body() -> None:
    asked = endpoints.LINE_STORY.request({"run_id": "run 1/2?", "line_id": "l-1", "unsaid": None})
    assert asked["url"] == "/api/runs/run%201%2F2%3F/story"
    assert (asked["params"], asked["json"]) == ({"line_id": "l-1"}, None)
    given = {"approval_id": "ap-1", "decision": "reject", "edits": None, "until": date(2026, 3, 2)}
    decided = endpoints.DECIDE.request(given)
    assert decided["url"] == "/api/approvals/ap-1/decide"
    assert decided["json"] == {"decision": "reject", "edits": None, "until": "2026-03-02"}
    assert decided["params"] == {}


def test_a_request_without_what_its_path_names_is_a_fault() -> None:
    with pytest.raises(KeyError, match="run_id"):
        endpoints.PLAN.request({})
