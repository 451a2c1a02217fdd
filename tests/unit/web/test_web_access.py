"""Roles, names, secrets and errors of the web doors."""

import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from graph.settings import Settings
from tools.domain.errors import BadInput, Conflict, IntegrityBroken, JitError, NotAllowed, NotFound, OutOfReach
from web.auth import ANYONE, OWNER, ROLES_FOR, Owner, acting_name, refusal, require
from web.client import find_server
from web.errors import SignInNeeded, TooLarge, error_body, error_from, status_of
from web.settings import web_settings


@dataclass(frozen=True)
class Someone:
    name: str
    role: str


def test_a_higher_role_may_do_all_that_a_lower_one_may() -> None:
    for action, roles in ROLES_FOR.items():
        assert roles == ANYONE[ANYONE.index(roles[0]) :], action


def test_a_refusal_names_the_role_and_what_it_needs() -> None:
    assert refusal(Someone("vic", "viewer"), "rollback") == "Your role is viewer; this needs manager or admin."
    assert refusal(Someone("mia", "manager"), "rollback") == ""
    with pytest.raises(NotAllowed, match="viewer"):
        require(Someone("vic", "viewer"), "ask")
    with pytest.raises(NotAllowed):
        require(Someone("eve", "superuser"), "read")


def test_a_key_says_who_acts_unless_it_is_the_owners() -> None:
    assert acting_name(Someone("ana", "analyst"), "mia") == "ana"
    assert acting_name(Owner(), "mia") == "mia"
    assert acting_name(Owner(), "") == OWNER


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (BadInput, 400),
        (SignInNeeded, 401),
        (NotAllowed, 403),
        (NotFound, 404),
        (Conflict, 409),
        (TooLarge, 413),
        (IntegrityBroken, 500),
        (OutOfReach, 503),
    ],
)
def test_an_error_survives_the_way_over_http(kind: type[JitError], status: int) -> None:
    error = kind("It went wrong.", remedy="Do this.", run_id="r-1")
    assert status_of(error) == status
    back = error_from(status, error_body(error))
    assert type(back) is kind
    assert (back.code, back.message, back.remedy, back.context) == (
        kind.code,
        "It went wrong.",
        "Do this.",
        {"run_id": "r-1"},
    )
    assert back.exit_code == kind.exit_code


def test_a_finer_code_survives_under_its_broad_class() -> None:
    class WarehouseOutOfReach(OutOfReach):
        """A finer kind."""

        code = "JIT-401"

    back = error_from(503, error_body(WarehouseOutOfReach("Busy.", remedy="Wait.")))
    assert isinstance(back, OutOfReach)
    assert back.code == "JIT-401"


def test_an_answer_without_a_body_still_becomes_an_error() -> None:
    assert "502" in error_from(502, {}).message


def test_secrets_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    first, second = web_settings(settings), web_settings(settings)
    assert first == second
    assert first.webhook_secret.get_secret_value().startswith("whsec_")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    given = Settings(home=tmp_path, webhook_secret=SecretStr("whsec_AAAA"))
    assert web_settings(given).webhook_secret.get_secret_value() == "whsec_AAAA"


@pytest.mark.parametrize("told", ["", "[]", '{"url": 1}', '{"url": "http://127.0.0.1:9", "pid": 999999999}'])
def test_a_stale_or_broken_server_file_names_no_server(tmp_path: Path, told: str) -> None:
    file = tmp_path / "server.json"
    assert find_server(file) is None
    file.write_text(told)
    assert find_server(file) is None
