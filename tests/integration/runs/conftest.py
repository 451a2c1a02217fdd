"""Fixtures of these tests: a session over the demo world, and agents that ask a chat server."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from demo_home import demo_session
from integration.runs.chat_server import ChatServer, chat_server
from integration.runs.llm_calls import KEY, MODEL, Connect
from pydantic import SecretStr

from agents.contracts import Agents
from agents.llm import LlmSettings
from agents.team import llm_agents
from graph.session import LocalSession


@pytest.fixture
def session(tmp_path: Path) -> Iterator[LocalSession]:
    with demo_session(tmp_path, planned=False) as opened:
        yield opened


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with chat_server() as server:
        yield server


@pytest.fixture
def connect(chat: ChatServer) -> Iterator[Connect]:
    """Makes agents that ask the server; closes their connections."""
    with ExitStack() as opened:

        def connected(**changes: Any) -> Agents:
            settings = {"base_url": chat.base_url, "model": MODEL, "api_key": SecretStr(KEY), **changes}
            agents = llm_agents(LlmSettings(**settings))
            opened.callback(agents.close)
            return agents

        yield connected
