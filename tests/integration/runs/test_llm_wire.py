"""Each agent over the wire, against a real HTTP server that answers chat completions well, badly, late or not."""

import json
import logging
import socket
import threading
import time

import pytest
from agent_briefs import FACTS, PLANNER, asked
from integration.runs.chat_server import TOKENS_IN, TOKENS_OUT, ChatServer, Response
from integration.runs.llm_calls import (
    CALLS,
    EVERY_AGENT,
    KEY,
    MODEL,
    OUTAGES,
    WRONG,
    Call,
    Connect,
    Words,
    assert_twin_decided,
    assess,
    bare,
    choose,
    good_plan,
    negotiate,
)

from agents.chat import ChatModel
from agents.llm import LlmSettings
from agents.planner import LlmPlanner
from agents.rules import RulePlanner, rule_agents


@EVERY_AGENT
def test_a_valid_answer_is_used_and_recorded_with_model_and_tokens(
    chat: ChatServer, connect: Connect, call: Call, good: Words
) -> None:
    chat.usual = Response(says=good)
    decided = call(connect())
    assert (decided.decided_by, decided.model, decided.fallback_reason) == (MODEL, MODEL, "")
    assert (decided.tokens_in, decided.tokens_out) == (TOKENS_IN, TOKENS_OUT)
    assert bare(decided) != bare(call(rule_agents()))
    assert chat.keys == [f"Bearer {KEY}"]
    assert chat.asked[0]["model"] == MODEL
    assert chat.asked[0]["response_format"] == {"type": "json_object"}


@EVERY_AGENT
@pytest.mark.parametrize("bad", ['{"cut off": ', "{}", "[1]", "I refuse.", "", '{"choices": [], "quantity": 9999}'])
def test_a_refused_answer_is_asked_for_once_more_with_what_was_wrong(
    chat: ChatServer, connect: Connect, call: Call, good: Words, bad: str
) -> None:
    chat.script.append(Response(says=bad))
    chat.usual = Response(says=good)
    decided = call(connect())
    assert decided.decided_by == MODEL
    assert (decided.tokens_in, decided.tokens_out) == (2 * TOKENS_IN, 2 * TOKENS_OUT)
    assert len(chat.asked) == 2
    assert chat.asked[1]["messages"][3]["content"].startswith("That answer was refused: ")


@pytest.mark.parametrize(("call", "wrong", "problem"), list(WRONG.values()), ids=list(WRONG))
def test_an_answer_that_is_wrong_twice_leaves_the_decision_to_the_twin(
    chat: ChatServer, connect: Connect, call: Call, wrong: Words, problem: str
) -> None:
    chat.usual = Response(says=wrong)
    decided = call(connect())
    assert_twin_decided(decided, call, "refused twice")
    assert problem in decided.fallback_reason
    assert (decided.tokens_in, decided.tokens_out) == (2 * TOKENS_IN, 2 * TOKENS_OUT)
    assert len(chat.asked) == 2


@pytest.mark.parametrize(("response", "reason"), list(OUTAGES.values()), ids=list(OUTAGES))
def test_a_server_that_fails_is_warned_of_once_and_then_left_alone(
    chat: ChatServer, connect: Connect, response: Response, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    chat.usual = response
    agents = connect()
    for call, _ in CALLS.values():
        assert_twin_decided(call(agents), call, reason)
    assert len(chat.asked) == 1
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert reason in warnings[0]


def test_parallel_negotiators_warn_once_of_a_wrong_key(
    chat: ChatServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    chat.usual = Response(status=401, wait_seconds=0.2)
    agents = connect()
    negotiate(rule_agents())
    threads = [threading.Thread(target=negotiate, args=(agents,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [record.levelname for record in caplog.records if record.name.startswith("agents")] == ["WARNING"]


@EVERY_AGENT
@pytest.mark.parametrize(
    "slow", [Response(says="{}", wait_seconds=3), Response(says="{}", drip_seconds=3)], ids=["silent", "dripping"]
)
def test_an_answer_that_comes_too_late_is_not_waited_for(
    chat: ChatServer, connect: Connect, call: Call, good: Words, slow: Response
) -> None:
    agents = connect(timeout_seconds=0.5)
    chat.usual = Response(says=good)
    call(agents)
    chat.usual = slow
    started = time.perf_counter()
    decided = call(agents)
    assert time.perf_counter() - started < 1.5
    assert_twin_decided(decided, call, "did not answer within 0.5 s")


def test_the_retry_has_only_what_the_first_answer_left_of_the_time(chat: ChatServer, connect: Connect) -> None:
    agents = connect(timeout_seconds=1.0)
    chat.usual = Response(says=good_plan)
    choose(agents)
    chat.usual = Response(says="{}", wait_seconds=0.7)
    started = time.perf_counter()
    assert_twin_decided(choose(agents), choose, "did not answer within 1 s")
    assert time.perf_counter() - started < 1.4


def test_a_closed_port_leaves_the_decision_to_the_twin(connect: Connect) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    agents = connect(base_url=f"http://127.0.0.1:{port}/v1")
    for call, _ in CALLS.values():
        assert_twin_decided(call(agents), call, "cannot be reached")


def test_a_server_is_asked_again_after_its_cool_down(chat: ChatServer) -> None:
    now = [100.0]
    settings = LlmSettings(base_url=chat.base_url, model=MODEL, cool_down_seconds=60)
    model = ChatModel(settings, clock=lambda: now[0])
    planner = LlmPlanner(model, RulePlanner())
    chat.script.append(Response(status=500))
    chat.usual = Response(says=good_plan)
    assert planner.choose(PLANNER).decided_by == "rules"
    now[0] += 59
    assert planner.choose(PLANNER).decided_by == "rules"
    now[0] += 2
    assert planner.choose(PLANNER).decided_by == MODEL
    assert len(chat.asked) == 2
    model.close()


def test_a_server_that_refuses_our_parameters_is_asked_without_them(chat: ChatServer, connect: Connect) -> None:
    chat.script.append(Response(status=400))
    chat.usual = Response(says=good_plan)
    agents = connect()
    assert choose(agents).decided_by == MODEL
    assert assess(agents).decided_by == "rules"
    assert "temperature" in chat.asked[0]
    assert not {"temperature", "response_format"} & (chat.asked[1].keys() | chat.asked[2].keys())


def test_an_answer_in_a_code_fence_is_read(chat: ChatServer, connect: Connect) -> None:
    chat.usual = Response(says=lambda document: f"```json\n{json.dumps(good_plan(document))}\n```")
    assert choose(connect()).decided_by == MODEL


@pytest.mark.parametrize(
    "response",
    [Response(status=401), Response(status=500), Response(says=f'{{"{KEY}": 1}}'), Response(says=f"Bearer {KEY}")],
    ids=["401", "500", "key as a field", "key as text"],
)
def test_the_key_stays_out_of_logs_errors_and_records_even_when_the_server_repeats_it(
    chat: ChatServer,
    connect: Connect,
    response: Response,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    chat.usual = response
    with caplog.at_level(logging.DEBUG):
        for call, _ in CALLS.values():
            assert KEY not in call(connect()).model_dump_json()
    assert KEY not in caplog.text
    assert KEY not in "".join(capfd.readouterr())
    assert any(KEY in key for key in chat.keys)


def test_a_key_in_an_otherwise_good_answer_is_hidden(chat: ChatServer, connect: Connect) -> None:
    chat.usual = Response(says=lambda document: {"text": f"The key is {KEY}.", "sources": ["r1"]})
    decided = connect().analyst.answer(asked("hello"), FACTS)
    assert decided.decided_by == MODEL
    assert decided.text == "The key is [key]."
