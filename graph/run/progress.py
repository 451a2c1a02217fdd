"""What each finished step of a run found, as a title and a sentence."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from graph.views.runs import UNDER_WAY, StepView
from store.operations import Operations
from store.warehouse import Transition, Warehouse

PROGRESS_TITLES: Mapping[str, str] = {
    "sense": "Sense",
    "gate_data": "Data quality",
    "estimate": "Forecast demand and lead times",
    "gate_drift": "Drift",
    "assess_risk": "Assess risk",
    "compute_options": "Compute options",
    "choose_plan": "Choose plan",
    "limit_prices": "Price limits",
    "negotiate": "Negotiate",
    "gate_lines": "Gate lines",
    "gate_plan": "Gate plan",
    "gate_autonomy": "Autonomy and approvals",
    "order": "Order",
    "await_approval": "Await approval",
    "gate_edit": "Gate edit",
    "dispatch": "Dispatch",
    "decline": "Decline",
    "close": "Close",
}

SHOWN_DRIFT = 3


@dataclass(frozen=True, slots=True)
class HowFar:
    """How far a node is that still computes."""

    node: str
    done: int
    expected: int
    seconds: float
    """Since it began."""
    afterwards: float | None = None
    """About how many seconds the steps after it take, where an earlier run tells."""

    @property
    def in_words(self) -> str:
        """What is done of what, and about how long the rest takes."""
        done = f"{self.done:,} of {self.expected:,} done"
        if not self.done:
            return done
        rest = self.seconds * (self.expected - self.done) / self.done
        told = f"{done}, about {in_short(rest)} left in this step"
        return told if self.afterwards is None else f"{told} and {in_short(rest + self.afterwards)} in all"


def in_short(seconds: float) -> str:
    """Seconds, or minutes where there are many."""
    return f"{max(round(seconds), 1)} s" if seconds < 90 else f"{round(seconds / 60)} min"


@dataclass(frozen=True, slots=True)
class OrderCounts:
    """Orders of a run that wait for a person, and actions that the ERP has carried out."""

    waiting: int
    sent: int

    @classmethod
    def of(cls, run_id: str, operations: Operations) -> "OrderCounts":
        """As of now."""
        waiting, sent = operations.pending_count([run_id]), operations.sent_count([run_id])
        return cls(waiting.get(run_id, 0), sent.get(run_id, 0))


NO_ORDERS = OrderCounts(0, 0)
SENDING = ("dispatch", "order", "close")
COUNTED = ("gate_autonomy", *SENDING)
"""Steps of which the orders are told."""


def live_step(run_id: str, node: str, started: datetime, warehouse: Warehouse, operations: Operations) -> StepView:
    """A step that has just ended."""
    now = datetime.now(UTC)
    counts = OrderCounts.of(run_id, operations) if node in COUNTED else NO_ORDERS
    return StepView(
        run_id=run_id,
        node=node,
        title=PROGRESS_TITLES[node],
        summary=step_summary(node, run_id, warehouse, counts),
        seconds=(now - started).total_seconds(),
        at=now,
    )


def step_under_way(run_id: str, far: HowFar) -> StepView:
    """A step that still computes, and how far it is."""
    return StepView(
        run_id=run_id,
        node=far.node,
        title=PROGRESS_TITLES[far.node],
        summary=far.in_words,
        seconds=far.seconds,
        status=UNDER_WAY,
        at=datetime.now(UTC),
        done=far.done,
        expected=far.expected,
    )


def stored_step(row: Transition, summary: str) -> StepView:
    """A step as the journal holds it, with what it found."""
    return StepView(
        run_id=row.run_id,
        node=row.node,
        title=PROGRESS_TITLES.get(row.node, row.node),
        summary=summary,
        seconds=(row.ended_at - row.started_at).total_seconds(),
        status=row.status,
        at=row.ended_at,
    )


def step_summary(node: str, run_id: str, warehouse: Warehouse, counts: OrderCounts) -> str:
    """What a step found, in a sentence or a few lines."""
    writers = {
        "gate_data": _data_summary,
        "estimate": _estimate_summary,
        "gate_drift": _drift_summary,
        "assess_risk": _risk_summary,
        "compute_options": _options_summary,
        "choose_plan": _choice_summary,
        "gate_lines": _verdict_summary,
    }
    if node in writers:
        return writers[node](run_id, warehouse)
    if node == "gate_autonomy":
        return f"{counts.waiting} orders wait for a person."
    if node in SENDING:
        return f"{counts.sent} orders are in the ERP."
    return ""


def _data_summary(run_id: str, warehouse: Warehouse) -> str:
    stored = warehouse.artifact(run_id, "quality", "data") or {"verdicts": []}
    return "\n".join(str(raw["reason"]) for raw in stored["verdicts"])


def _estimate_summary(run_id: str, warehouse: Warehouse) -> str:
    patterns = warehouse.artifact(run_id, "estimate", "patterns") or {}
    return ", ".join(f"{count} {name}" for name, count in patterns.items())


def _drift_summary(run_id: str, warehouse: Warehouse) -> str:
    drift = (warehouse.artifact(run_id, "drift", "alarms") or {"verdicts": []})["verdicts"]
    more = [f"{len(drift) - SHOWN_DRIFT} more drift."] if len(drift) > SHOWN_DRIFT else []
    return "\n".join([*(str(raw["reason"]) for raw in drift[:SHOWN_DRIFT]), *more])


def _risk_summary(run_id: str, warehouse: Warehouse) -> str:
    stored = warehouse.artifact(run_id, "risk", "assessment") or {"risks": []}
    return "\n".join(str(raw["summary"]) for raw in stored["risks"][:3]) or "No item would run out before it recovers."


def _options_summary(run_id: str, warehouse: Warehouse) -> str:
    return f"{sum(warehouse.artifact_counts(run_id, 'option', 'group').values())} options priced."


def _choice_summary(run_id: str, warehouse: Warehouse) -> str:
    stored = warehouse.artifact(run_id, "plan", "choice") or {"choices": {}, "reasons": {}}
    told = [f"{stored['choices'][group]}: {reason}" for group, reason in stored["reasons"].items()]
    kept = int(stored.get("kept_lines", 0))
    if kept:
        lines = "1 line of the same orders stays" if kept == 1 else f"{kept} lines of the same orders stay"
        told.append(f"{lines} as planned before: nothing new is known of them.")
    return "\n".join(told)


def _verdict_summary(run_id: str, warehouse: Warehouse) -> str:
    rounds = {key: part for key, part in warehouse.artifacts(run_id, "verdict").items() if key.startswith("lines-")}
    latest = rounds[max(rounds)] if rounds else {"verdicts": []}
    effects = Counter(str(raw["effect"]) for raw in latest["verdicts"])
    return ", ".join(f"{count} {name}" for name, count in effects.most_common())
