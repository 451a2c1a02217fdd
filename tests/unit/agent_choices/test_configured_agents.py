import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from agents.llm import LlmSettings
from agents.planner import LlmPlanner
from agents.rules import RulePlanner
from graph.parts import agents_of, counterparties_of
from graph.settings import Settings
from tools.domain.errors import BadInput
from tools.negotiation import seeded_supplier

ROOT = Path(__file__).parents[3]
SECRET = "sk-very-secret"


def settings(monkeypatch: pytest.MonkeyPatch, **given: object) -> Settings:
    for name in ("JIT_LLM_MODEL", "JIT_LLM_BASE_URL", "OPENAI_API_KEY", "JIT_SANDBOX_SUPPLIER_TALKS"):
        monkeypatch.delenv(name, raising=False)
    return Settings(**given)


def test_a_key_alone_configures_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    made = agents_of(settings(monkeypatch, openai_api_key=SecretStr(SECRET), llm_base_url="http://127.0.0.1:1/v1"))
    assert isinstance(made.planner, RulePlanner)


def test_a_model_name_configures_all_five_agents_at_openai_when_no_url_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = agents_of(settings(monkeypatch, llm_model="m", openai_api_key=SecretStr(SECRET)))
    five = (made.planner, made.risk, made.negotiator, made.analyst, made.extractor)
    chats = [vars(agent)["_chat"] for agent in five]
    assert isinstance(made.planner, LlmPlanner)
    assert len(set(map(id, chats))) == 1
    assert chats[0]._settings.base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"llm_base_url": "127.0.0.1:8000"},
        {"llm_base_url": "ftp://127.0.0.1/v1"},
        {"llm_base_url": f"http://user:{SECRET}@127.0.0.1/v1"},
        {"llm_base_url": f"http://127.0.0.1/v1?key={SECRET}"},
        {"llm_timeout_seconds": 0.0},
        {"llm_timeout_seconds": -3.0},
    ],
)
def test_a_wrong_setting_is_bad_input_with_the_remedy_and_without_the_secret(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object]
) -> None:
    with pytest.raises(BadInput) as caught:
        agents_of(settings(monkeypatch, llm_model="m", **wrong))
    assert "JIT_LLM_BASE_URL" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_settings_never_show_the_key() -> None:
    assert SECRET not in repr(LlmSettings(base_url="http://127.0.0.1/v1", model="m", api_key=SecretStr(SECRET)))


def test_the_sandboxs_suppliers_talk_about_their_list_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    other = counterparties_of(settings(monkeypatch, seed=11))("S01", {"O1#0": 10.0})
    assert other == seeded_supplier("S01", {"O1#0": 10.0}, 11)


def test_nobody_answers_where_the_sandboxs_suppliers_do_not_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counterparties_of(settings(monkeypatch, sandbox_supplier_talks=False))("S01", {"O1#0": 10.0}) is None


def test_the_client_is_imported_with_the_first_question_and_not_before() -> None:
    program = (
        "import sys; from agents.llm import LlmSettings; from agents.team import llm_agents; "
        "llm_agents(LlmSettings(base_url='http://127.0.0.1:9/v1', model='m')); "
        "print([name for name in ('openai', 'langchain_openai', 'langchain_core', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
