"""Runs of the small session in memory: opened, stepped through, settled and recorded."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from integration.web.web_forecasts import version_of
from integration.web.web_stock import (
    ITEMS,
    Stocked,
    is_due,
    line_of,
    options_of,
    outlook_of,
    risk_of,
)

from graph.views.forecasts import EstimateView
from graph.views.installation import RejectView
from graph.views.orders import ApprovalView, LineView
from graph.views.plans import PlanView
from graph.views.runs import (
    UNDER_WAY,
    RunStatus,
    RunView,
    StepView,
    TransitionView,
    Trigger,
)

LIMIT = 5_000.0
"""Orders above this value wait for a manager, smaller ones for a buyer."""


@dataclass
class SimulatedRuns:
    """All state of a session and how its runs change it. `pause` is how long each step takes."""

    pause: float = 0.0
    items: Sequence[Stocked] = ITEMS
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    halted: bool = False
    roles: Mapping[str, str] = field(default_factory=lambda: {"bo": "buyer", "mia": "manager", "ana": "analyst"})
    plans: dict[str, PlanView] = field(default_factory=dict)
    approvals: dict[str, ApprovalView] = field(default_factory=dict)
    talk: list[dict[str, object]] = field(default_factory=list)
    rows: list[TransitionView] = field(default_factory=list)
    inbox: dict[str, Mapping[str, object]] = field(default_factory=dict)
    given_by: dict[str, str] = field(default_factory=dict)
    turned_away: list[RejectView] = field(default_factory=list)
    dataset: str = "ds-1-ab12cd34"
    versions: list[EstimateView] = field(default_factory=lambda: [version_of(2, True), version_of(1, False)])
    tested: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)

    def _open(self, trigger: Trigger) -> str:
        with self._lock:
            run_id = f"run-{next(self._numbers):03d}"
            run = RunView(
                run_id=run_id,
                status=RunStatus.RUNNING,
                trigger=trigger,
                dataset_version=self.dataset,
                versions={"policy": "policy-77aa10"},
                started_at=self.clock(),
                currency="EUR",
            )
            self.plans[run_id] = PlanView(run=run)
            return run_id

    def _items_of(self, run_id: str) -> Sequence[str]:
        wanted = self.plans[run_id].run.trigger.item_ids
        return wanted or [item.item_id for item in self.items]

    def _sense(self, run_id: str) -> str:
        return f"{len(self._items_of(run_id))} items of {self.dataset}."

    def _estimate(self, run_id: str) -> str:
        items = [item for item in self.items if item.item_id in self._items_of(run_id)]
        risks = [risk_of(item) for item in items if item.on_hand / item.daily < item.lead_days]
        self._change(run_id, outlooks=tuple(outlook_of(item) for item in items), risks=tuple(risks))
        return f"{len(items)} outlooks, {len(risks)} items at risk."

    def _choose(self, run_id: str) -> str:
        due = [item for item in self.items if is_due(item) and item.item_id in self._items_of(run_id)]
        lines = tuple(line_of(run_id, number, item) for number, item in enumerate(due, start=1))
        value = sum(line.value for line in lines)
        self._change(run_id, lines=lines, options=options_of(lines), expected_cost=value * 1.04, lower_bound=value)
        return f"{len(lines)} lines worth {value:,.0f} EUR."

    def _gate(self, run_id: str) -> str:
        lines = self.plans[run_id].lines
        for order_key in dict.fromkeys(line.order_key for line in lines):
            own = tuple(line for line in lines if line.order_key == order_key)
            approval = self._approval(run_id, order_key, own)
            self.approvals[approval.approval_id] = approval
        return f"{len(self.pending())} orders wait for approval."

    def _approval(self, run_id: str, order_key: str, lines: tuple[LineView, ...]) -> ApprovalView:
        value = sum(line.value for line in lines)
        return ApprovalView(
            approval_id=f"ap-{digest_of([run_id, order_key])[:8]}",
            run_id=run_id,
            order_key=order_key,
            status="pending",
            tier="manager" if value > LIMIT else "buyer",
            content_hash=digest_of([line.model_dump() for line in lines]),
            supplier=lines[0].supplier,
            value=value,
            currency="EUR",
            lines=lines,
            reasons=(f"Order value {value:,.0f} is above the limit of 1,000 for autonomous orders.",),
            proposed_by=("agent:planner",),
            opened_at=self.clock(),
        )

    def _settle(self, run_id: str) -> None:
        with self._lock:
            plan = self.plans[run_id]
            waiting = sum(approval.run_id == run_id for approval in self.pending())
            run = plan.run.model_copy(
                update={
                    "status": RunStatus.WAITING if waiting else RunStatus.DONE,
                    "ended_at": self.clock(),
                    "n_lines": len(plan.lines),
                    "order_value": sum(line.value for line in plan.lines),
                    "pending_approvals": waiting,
                    "dispatched": sum(line.status == "dispatched" for line in plan.lines),
                    "summary": f"{len(plan.lines)} lines, {waiting} orders wait.",
                }
            )
            self._change(run_id, run=run, kpis={"fill_rate": 0.962, "turns": 8.4})

    def _apply(self, decided: ApprovalView) -> None:
        own = {line.line_id: line for line in decided.lines}
        status = "rejected" if decided.status == "rejected" else "dispatched"
        lines = tuple(
            own[line.line_id].model_copy(update={"status": status}) if line.line_id in own else line
            for line in self.plans[decided.run_id].lines
        )
        self._change(decided.run_id, lines=lines)
        self._settle(decided.run_id)

    def _change(self, run_id: str, **update: object) -> None:
        self.plans[run_id] = self.plans[run_id].model_copy(update=update)

    def _under_way(self, run_id: str, node: str, title: str) -> StepView:
        """A step that computes: a third of it is done."""
        return StepView(
            run_id=run_id,
            node=node,
            title=title,
            summary="2 of 6 done",
            seconds=self.pause,
            status=UNDER_WAY,
            at=self.clock(),
            done=2,
            expected=6,
        )

    def _stepped(self, run_id: str, node: str, title: str, summary: str, seconds: float) -> StepView:
        step = StepView(run_id=run_id, node=node, title=title, summary=summary, seconds=seconds, at=self.clock())
        self._change(run_id, steps=(*self.plans[run_id].steps, step))
        self._record(run_id, node, "node", "program", {"summary": summary})
        return step

    def _record(self, run_id: str, node: str, event: str, actor: str, payload: dict[str, object]) -> None:
        previous = self.rows[-1].hash if self.rows else ""
        self.rows.append(
            TransitionView(
                seq=len(self.rows) + 1,
                run_id=run_id,
                node=node,
                attempt=1,
                step=len(self.rows),
                event=event,
                status="ok",
                started_at=self.clock(),
                ended_at=self.clock(),
                actor=actor,
                payload=payload,
                hash=digest_of([previous, run_id, node, payload]),
            )
        )

    def _say(self, role: str, text: str, **more: object) -> None:
        with self._lock:
            self.talk.append({"role": role, "text": text, "at": self.clock().isoformat(), **more})


def digest_of(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
