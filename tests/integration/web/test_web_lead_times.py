"""Lead times over HTTP are those of the session, with its errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.web.running_app import running
from integration.web.web_lead_times import open_order_of
from integration.web.web_members import team
from integration.web.web_session import InMemorySession
from integration.web.web_stock import ITEMS
from pydantic import SecretStr

from tools.domain.errors import NotFound
from web.api import create_app
from web.client import RemoteSession
from web.errors import SignInNeeded
from web.settings import WebSettings

SESSION = InMemorySession()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("leads")
    settings = WebSettings(home=home, webhook_secret=SecretStr("whsec_" + "A" * 32))
    app = create_app(SESSION, team(), settings)
    with running(app) as address:
        yield address
    app.state.live.close()


@pytest.mark.parametrize("subject", [None, "NORTHWIND", "I-101", open_order_of(ITEMS[0]).order_id])
def test_a_viewer_sees_what_the_session_tells(url: str, subject: str | None) -> None:
    with RemoteSession(url, "key-vic") as remote:
        told = remote.lead_times(subject)
    assert told == SESSION.lead_times(subject)
    assert told.suppliers and told.orders and bool(told.offers) == (subject is not None)


def test_an_earlier_estimate_version_can_be_named(url: str) -> None:
    with RemoteSession(url, "key-vic") as remote:
        assert remote.lead_times("I-101", "est-1-00c0ffee").estimate_version == "est-1-00c0ffee"
        with pytest.raises(NotFound, match="est-9"):
            remote.lead_times("I-101", "est-9")


def test_a_misspelt_subject_comes_back_with_near_ones(url: str) -> None:
    with RemoteSession(url, "key-vic") as remote, pytest.raises(NotFound) as refused:
        remote.lead_times("I-1011")
    assert "Did you mean I-101" in refused.value.remedy


def test_strangers_are_told_nothing(url: str) -> None:
    with RemoteSession(url, "wrong") as remote, pytest.raises(SignInNeeded):
        remote.lead_times()
