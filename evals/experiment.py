"""Runs of the closed loop scored as a LangSmith experiment, in memory: no request leaves the machine."""

import contextlib
import io
import warnings
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from evals.buying import LoopRecord
from evals.scorers import SCORERS, score
from tools.domain.errors import JitError

NOWHERE = "http://127.0.0.1:9"
"""The discard port: were anything sent, it would fail here and reach nobody."""


class ScoringFailed(JitError):
    """An evaluator gave no figure for a run."""

    code = "JIT-510"


def score_offline(suite: str, records: Sequence[LoopRecord]) -> list[dict[str, float]]:
    """The figures of each record, in order, by `langsmith.evaluate` over in-memory examples."""
    found = _experiment(suite, records)
    for record in records:
        missing = [s.key for s in SCORERS if s.key not in found.get(_name(record), {})]
        if missing:
            score(record)  # LangSmith logs an evaluator's error and goes on: let it show itself here
            raise ScoringFailed(
                f"{record.buyer}, seed {record.seed}: no {', '.join(missing)}.",
                remedy="Run the suite again; if it ends so again, report it with the version of langsmith.",
            )
    return [found[_name(record)] for record in records]


def _experiment(suite: str, records: Sequence[LoopRecord]) -> dict[str, dict[str, float]]:
    from langsmith import Client, evaluate
    from langsmith.run_helpers import tracing_context
    from langsmith.schemas import Example

    by_name = {_name(record): record for record in records}
    begun = datetime.now(UTC)
    examples = [
        Example(
            id=uuid5(NAMESPACE_OID, f"{suite}|{name}"),
            dataset_id=uuid5(NAMESPACE_OID, suite),
            inputs={"run": name},
            created_at=begun,
        )
        for name in by_name
    ]

    def play(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"buyer": by_name[inputs["run"]].buyer, "seed": by_name[inputs["run"]].seed}

    def figures(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"results": [{"key": key, "score": value} for key, value in score(by_name[inputs["run"]]).items()]}

    client = Client(api_url=NOWHERE, api_key="offline", info={"version": "0"}, auto_batch_tracing=False)
    with tracing_context(enabled=False), _quiet():
        rows = list(
            evaluate(play, data=examples, evaluators=[figures], client=client, upload_results=False, blocking=True)
        )
    return {str((row["example"].inputs or {})["run"]): _scores(row) for row in rows}


def _scores(row: Mapping[str, Any]) -> dict[str, float]:
    results = row["evaluation_results"]["results"]
    return {result.key: float(result.score) for result in results if result.score is not None}


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Without LangSmith's own progress bar, and without its note that evaluating locally is a beta feature."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'upload_results' parameter is in beta")
        yield


def _name(record: LoopRecord) -> str:
    return f"{record.buyer}, seed {record.seed}"
