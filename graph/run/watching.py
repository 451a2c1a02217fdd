"""Nodes that compute tell how far they are, and end where a person cancels the run."""

from collections.abc import Callable, Mapping
from functools import wraps
from time import monotonic
from typing import Any, TypeVar, cast

from langgraph.runtime import Runtime

from graph.context import Context
from graph.run.progress import HowFar
from tools.domain.progress import heard_by

Node = TypeVar("Node", bound=Callable[..., Any])
QUIET_SECONDS, BETWEEN_SECONDS = 1.0, 0.5
"""What takes less is not told, and nothing more often."""


class _Hearing:
    """Hears one node: cancels it where that was asked for, and passes on how far it is."""

    def __init__(self, node: str, run_id: str, runtime: Runtime[Context]) -> None:
        self._node, self._run_id, self._runtime = node, run_id, runtime
        self._began = monotonic()
        self._next = self._began + QUIET_SECONDS
        self._told = (-1, -1)

    def __call__(self, done: int, expected: int) -> None:
        self._runtime.context.cancels.computing(self._run_id)
        now = monotonic()
        if now >= self._next and (done, expected) != self._told:
            self._next, self._told = now + BETWEEN_SECONDS, (done, expected)
            self._runtime.stream_writer(HowFar(self._node, done, expected, now - self._began))


def watched(node: Node) -> Node:
    """The node, as one that may be cancelled and whose work is heard."""

    @wraps(node)
    def heard(state: Mapping[str, Any], runtime: Runtime[Context]) -> Any:
        run_id = str(state["run_id"])
        runtime.context.cancels.computing(run_id)
        with heard_by(_Hearing(node.__name__, run_id, runtime)):
            return node(state, runtime)

    return cast(Node, heard)
