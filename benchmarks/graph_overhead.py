"""What a step of the graph costs beyond its node's own work: checkpoint and journal, beside the bare graph.

A chain of nodes that each pass on a plan of thirty lines, driven as the session drives a run: durable checkpoints in
the operations database and every attempt in the journal, with its projector at work.
"""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from benchmarks.figures import Figure, quick_asked, report
from graph.run.checkpoints import open_checkpointer
from graph.run.transitions import JournalCallbacks
from store.audit.journal import Journal
from store.operations import Operations
from store.warehouse import Warehouse

STEPS = 20
LINES = [
    {"line_id": f"I{n:03d}|S01|ocean|DC1", "item_id": f"I{n:03d}", "quantity": 120.0 * n, "unit_price": 3.3, "n": n}
    for n in range(30)
]


class ChainState(TypedDict):
    """A run's state in small."""

    orders: list[dict[str, Any]]
    place: int


def pass_on(state: ChainState) -> dict[str, Any]:
    """No work of its own: a fresh copy of what it got."""
    return {"orders": [dict(line) for line in state["orders"]], "place": state["place"] + 1}


def _chain() -> StateGraph[Any, None, Any, Any]:
    builder: StateGraph[Any, None, Any, Any] = StateGraph(ChainState)
    names = [f"step_{number}" for number in range(STEPS)]
    for name in names:
        builder.add_node(name, pass_on)
    for before, after in zip([START, *names], [*names, END], strict=True):
        builder.add_edge(before, after)
    return builder


def _milliseconds(drive: Callable[[int], object], rounds: int) -> list[float]:
    drive(-1)
    found: list[float] = []
    for number in range(rounds):
        started = perf_counter()
        drive(number)
        found.append(1000 * (perf_counter() - started) / STEPS)
    return found


def measure(rounds: int) -> dict[str, Figure]:
    """Median and slowest per step, with everything and with nothing."""
    first: Any = {"orders": LINES, "place": 0}
    bare = _chain().compile()
    alone = _milliseconds(lambda _: bare.invoke(first), rounds)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'operations.sqlite'}"
        with closing(Operations(url)) as operations, Warehouse(Path(folder) / "w.duckdb") as warehouse:
            journal = Journal(operations, warehouse)
            saver, close = open_checkpointer(operations)
            whole = _chain().compile(checkpointer=saver)
            journal.start_projector()

            def drive(number: int) -> object:
                run_id = f"run-{number}"
                callbacks: list[BaseCallbackHandler] = [
                    JournalCallbacks(journal, run_id, "eval", "benchmark", {"code": "1"})
                ]
                config: RunnableConfig = {"configurable": {"thread_id": run_id}, "callbacks": callbacks}
                return whole.invoke(first, config, durability="sync")

            kept = _milliseconds(drive, rounds)
            journal.stop()
            rows = len(warehouse.transitions())
            close()
    yardstick = f"graph alone in the same run: {statistics.median(alone):.2f} ms"
    work = statistics.median(alone)
    return {
        "ms_per_step": Figure(statistics.median(kept) - work, "ms", "<= 10", yardstick),
        "p95_ms_per_step": Figure(sorted(kept)[int(0.95 * len(kept))] - work, "ms", "<= 10", yardstick),
        "ratio_to_bare_graph": Figure(statistics.median(kept) / work, "x", "told", yardstick),
        "journal_rows_missing": Figure((rounds + 1) * STEPS - rows, "rows", "= 0", "one row for every node attempt"),
    }


if __name__ == "__main__":
    print(report("graph_overhead", measure(10 if quick_asked() else 60)))
