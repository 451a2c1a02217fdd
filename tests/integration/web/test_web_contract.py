"""The HTTP API keeps to its own description, whatever is sent to it."""

import inspect
from pathlib import Path

import pytest
import schemathesis
from hypothesis import Phase, given, settings
from integration.web.web_members import team
from integration.web.web_session import InMemorySession
from pydantic import SecretStr
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from graph.contracts import SourcingSession
from graph.session import LocalSession
from graph.views.runs import Trigger, TriggerKind
from web.api import create_app
from web.client import RemoteSession
from web.settings import WebSettings

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
METHODS = sorted(name for name in vars(SourcingSession) if not name.startswith("_"))


def planned_session() -> InMemorySession:
    session = InMemorySession()
    session.start(Trigger(kind=TriggerKind.SCHEDULE, actor="schedule", reason="every morning"))
    session.ask("Why I-101?", actor="ana")
    return session


@pytest.fixture(scope="module")
def described() -> schemathesis.BaseSchema:
    secret = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    web = WebSettings(home=Path("."), webhook_secret=secret)
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(planned_session(), team(), web))


BOUNDS = settings(max_examples=12, deadline=None, derandomize=True, database=None, phases=[Phase.generate])


def test_every_answer_is_one_that_the_description_promises(described: schemathesis.BaseSchema) -> None:
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 20
    for operation in operations:

        @BOUNDS
        @given(case=operation.as_strategy())
        def keeps_its_promise(case: schemathesis.Case) -> None:
            case.call_and_validate(headers={"Authorization": "Bearer key-ada"}, checks=CHECKS)

        keeps_its_promise()


@pytest.mark.parametrize("kind", [RemoteSession, LocalSession, InMemorySession])
@pytest.mark.parametrize("method", METHODS)
def test_every_session_has_every_method_of_the_contract(kind: type, method: str) -> None:
    promised = inspect.signature(getattr(SourcingSession, method)).parameters.values()
    given = inspect.signature(getattr(kind, method)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in given] == [(p.name, p.kind, p.default) for p in promised]


def test_the_description_comes_without_a_page_that_loads_from_elsewhere(described: schemathesis.BaseSchema) -> None:
    paths = {getattr(route, "path", "") for route in described.app.routes}
    assert "/openapi.json" in paths
    assert not {"/docs", "/redoc"} & paths
