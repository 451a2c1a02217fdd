"""A small session in memory: it plans by reorder points, waits for signatures, and keeps a hash-chained journal."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count

from integration.web.web_decisions import decision_of
from integration.web.web_forecasts import backtest_of, forecast_of, row_of, version_of
from integration.web.web_lead_times import lead_times_of
from integration.web.web_runs import SimulatedRuns, digest_of
from integration.web.web_stock import (
    edited,
    is_due,
    quantity_of,
)
from integration.web.web_stories import story_of
from integration.web.web_waiting import waiting_of

from graph.contracts import silent
from graph.views.decisions import DecisionView
from graph.views.forecasts import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.views.installation import DatasetView, PartView, RejectView
from graph.views.lead_times import LeadTimesView
from graph.views.line_stories import LineStoryView
from graph.views.orders import ApprovalView, EditedLineView, EditPreviewView, WaitingView
from graph.views.plans import AnswerView, OutlookView, PlanView
from graph.views.runs import (
    AlertView,
    JournalCheckView,
    RunStatus,
    RunView,
    StepView,
    TransitionView,
    Trigger,
    TriggerKind,
)
from tools.domain.errors import BadInput, Conflict, NotAllowed, NotFound


@dataclass
class InMemorySession(SimulatedRuns):
    """Every method takes the lock."""

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._numbers = count(1)

    def import_folder(self, folder: str, *, as_of: date | None = None, lenient: bool = False) -> Mapping[str, object]:
        raise BadInput(f"{folder} holds no tables.", remedy="Name a folder of CSV files.")

    def start(self, trigger: Trigger) -> str:
        return list(self.stream(trigger=trigger))[-1].run_id

    def stream(self, run_id: str | None = None, trigger: Trigger | None = None) -> Iterator[StepView]:
        if trigger is None:
            yield from self.plan(run_id).steps
            return
        known = {item.item_id for item in self.items}
        for item_id in trigger.item_ids:
            if item_id not in known:
                raise NotFound(f"There is no item {item_id}.", remedy="See the items of the dataset.", item_id=item_id)
        run_id = self._open(trigger)
        for node, title, work in (
            ("sense", "Sensing", self._sense),
            ("estimate", "Estimating demand", self._estimate),
            ("choose_plan", "Choosing orders", self._choose),
            ("gate_lines", "Passing the gates", self._gate),
        ):
            begun = time.perf_counter()
            if self.pause:
                yield self._under_way(run_id, node, title)
            time.sleep(self.pause)
            if run_id in self.cancelled:
                self._change(run_id, run=self._plan(run_id).run.model_copy(update={"status": RunStatus.STOPPED}))
                return
            with self._lock:
                summary = work(run_id)
                yield self._stepped(run_id, node, title, summary, time.perf_counter() - begun)
        self._settle(run_id)

    def cancel(self, actor: str, run_id: str | None = None, reason: str = "") -> RunView:
        with self._lock:
            run = self._plan(run_id).run
            if run.status is not RunStatus.RUNNING:
                raise Conflict("It does not compute just now.", remedy="See the runs.", run_id=run.run_id)
            self.cancelled.add(run.run_id)
            self._record(run.run_id, "session", "cancel", actor, {"reason": reason})
            return run

    def runs(self, limit: int = 20) -> Sequence[RunView]:
        with self._lock:
            return [plan.run for plan in reversed(self.plans.values())][:limit]

    def plan(self, run_id: str | None = None, *, series: bool = True) -> PlanView:
        found = self._plan(run_id)
        if series:
            return found
        bare = {name: () for name in ("history", "dates", "stock_p10", "stock_p50", "stock_p90")}
        outlooks = tuple(one.model_copy(update=bare) for one in found.outlooks)
        return found.model_copy(update={"outlooks": outlooks, "steps": ()})

    def outlook(self, item_id: str, run_id: str | None = None) -> OutlookView:
        found = next((one for one in self._plan(run_id).outlooks if one.item_id == item_id), None)
        if found is None:
            raise NotFound(f"No run planned {item_id}.", remedy="See the items of the run.", item_id=item_id)
        return found

    def stamp(self) -> str:
        with self._lock:
            runs = [plan.run.model_dump(mode="json") for plan in self.plans.values()]
            counted = [len(self.rows), len(self.talk), len(self.inbox), self.halted, self.dataset]
            marks = [[one.content_hash, one.status, one.lines[0].status] for one in self.approvals.values()]
            return digest_of([runs, counted, marks, [one.model_dump(mode="json") for one in self.versions]])

    def waiting(self, limit: int = 50, offset: int = 0, search: str = "") -> WaitingView:
        return waiting_of(self.pending(), limit, offset, search)

    def _plan(self, run_id: str | None) -> PlanView:
        with self._lock:
            if not self.plans or (run_id is not None and run_id not in self.plans):
                raise NotFound("There is no such run.", remedy="Start one.", run_id=run_id or "")
            return self.plans[run_id or next(reversed(self.plans))]

    def pending(self, limit: int | None = None, offset: int = 0) -> Sequence[ApprovalView]:
        with self._lock:
            return [one for one in self.approvals.values() if one.status == "pending"][offset:][:limit]

    def approval(self, approval_id: str) -> ApprovalView:
        if approval_id not in self.approvals:
            raise NotFound("There is no such approval.", remedy="See what is pending.", approval_id=approval_id)
        return self.approvals[approval_id]

    def decided(self, limit: int = 20) -> Sequence[ApprovalView]:
        with self._lock:
            found = [approval for approval in self.approvals.values() if approval.status != "pending"]
            return sorted(found, key=lambda one: one.decided_at or one.opened_at, reverse=True)[:limit]

    def decisions(
        self, item: str = "", supplier: str = "", actor: str = "", within: str = "", limit: int = 50, before: str = ""
    ) -> Sequence[DecisionView]:
        found = [decision_of(one) for one in self.decided(500) if actor in ("", one.decided_by)]
        wanted = [
            one
            for one in found
            if supplier in ("", one.supplier) and (not item or item in {line.item_id for line in one.lines})
        ]
        begin = next((place + 1 for place, one in enumerate(wanted) if one.cursor == before), 0)
        return wanted[begin : begin + limit]

    def decide(
        self,
        approval_id: str,
        decision: str,
        actor: str,
        reason: str = "",
        *,
        content_hash: str | None = None,
        edits: Mapping[str, float] | None = None,
        until: date | None = None,
    ) -> ApprovalView:
        with self._lock:
            approval = self.approval(approval_id)
            if approval.status != "pending" or content_hash not in (None, approval.content_hash):
                raise Conflict("It was decided or changed meanwhile.", remedy="Look again.", approval_id=approval_id)
            if approval.tier == "manager" and self.roles.get(actor) == "buyer":
                raise NotAllowed("This order needs a manager.", remedy="Ask a manager.", actor=actor)
            status = {"approve": "approved", "edit": "edited", "reject": "rejected"}[decision]
            lines = tuple(edited(line, edits or {}) for line in approval.lines)
            reference = "" if decision == "reject" else f"ERP-{len(self.decided()) + 1:04d}"
            if any(line.quantity <= 0 for line in lines):
                raise BadInput("A quantity must be above zero.", remedy="Reject the order instead.")
            decided = approval.model_copy(
                update={
                    "status": status,
                    "decided_by": actor,
                    "decided_at": self.clock(),
                    "reason": reason,
                    "lines": lines,
                    "value": sum(line.value for line in lines),
                    "erp_status": "done" if reference else "",
                    "erp_reference": reference,
                }
            )
            self.approvals[approval_id] = decided
            self._record(approval.run_id, "await_approval", "resume", actor, {"decision": decision})
            self._apply(decided)
            return decided

    def preview_edit(self, approval_id: str, edits: Mapping[str, float]) -> EditPreviewView:
        lines = [
            EditedLineView(
                line_id=line.line_id,
                quantity=(units := edits.get(line.line_id, line.quantity)),
                unit_price=line.unit_price,
                value=units * line.unit_price,
            )
            for line in self.approval(approval_id).lines
        ]
        return EditPreviewView(lines=tuple(lines), value=sum(line.value for line in lines), currency="EUR")

    def reconsider(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        self._record("", "session", "reconsider", actor, {"approval_id": approval_id})
        return self.approval(approval_id)

    def one_person(self, actor: str, on: bool = True) -> Mapping[str, object]:
        return {"one_person": on, "by": actor}

    def withdraw(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        with self._lock:
            approval = self.approval(approval_id)
            if approval.erp_status != "done" or any(line.status == "withdrawn" for line in approval.lines):
                raise Conflict("There is no order to take back.", remedy="See the plan.", approval_id=approval_id)
            lines = tuple(line.model_copy(update={"status": "withdrawn"}) for line in approval.lines)
            self.approvals[approval_id] = approval.model_copy(update={"lines": lines})
            return self.approvals[approval_id]

    def explain(self, run_id: str | None = None, subject: str | None = None) -> AnswerView:
        lines = [line for line in self.plan(run_id).lines if subject in (None, line.item_id, line.line_id)]
        text = " ".join(f"{line.item}: {line.formula}." for line in lines) or "Nothing is due."
        return AnswerView(text=text, sources=tuple(line.line_id for line in lines))

    def line_story(self, line_id: str, run_id: str | None = None) -> LineStoryView:
        plan = self.plan(run_id)
        line = next((line for line in plan.lines if line.line_id == line_id), None)
        if line is None:
            raise NotFound(f"The plan places no line {line_id!r} now.", remedy="Name one of its lines.")
        item = next(item for item in self.items if item.item_id == line.item_id)
        return story_of(item, plan.run.run_id, line_id)

    def ask(self, question: str, *, actor: str, conversation: str = "main") -> AnswerView:
        self._say("user", question, actor=actor)
        run_id = None
        if "replan" in question.casefold():
            run_id = self.start(Trigger(kind=TriggerKind.ANALYST, actor=actor, reason=question))
        subject = next((item.item_id for item in self.items if item.item_id in question), None)
        answer = self.explain(run_id, subject).model_copy(update={"run_id": run_id})
        self._say("assistant", answer.text, sources=list(answer.sources), run_id=run_id)
        return answer

    def messages(self, conversation: str = "main", limit: int = 200) -> Sequence[Mapping[str, object]]:
        with self._lock:
            return self.talk[-limit:]

    def replay(self, run_id: str) -> Mapping[str, object]:
        stored = digest_of([line.quantity for line in self.plan(run_id).lines])
        again = digest_of(
            [quantity_of(item) for item in self.items if is_due(item) and item.item_id in self._items_of(run_id)]
        )
        return {"identical": stored == again, "stored": stored, "replayed": again}

    def rollback(self, point_id: str, actor: str) -> Mapping[str, object]:
        if not point_id.startswith(("ds-", "policy-")):
            raise NotFound("There is no such version.", remedy="See the versions.", point_id=point_id)
        self.dataset = point_id
        return {"active": point_id}

    def journal(self, run_id: str | None = None) -> Sequence[TransitionView]:
        with self._lock:
            return [row for row in self.rows if run_id in (None, row.run_id)]

    def verify_journal(self) -> JournalCheckView:
        previous = ""
        for row in self.rows:
            if row.hash != digest_of([previous, row.run_id, row.node, row.payload]):
                return JournalCheckView(ok=False, rows=len(self.rows), reason=f"Row {row.seq} does not match.")
            previous = row.hash
        return JournalCheckView(ok=True, rows=len(self.rows), head_hash=previous)

    def receive_alert(
        self, message_id: str, event: Mapping[str, object], source: str, given_by: str = ""
    ) -> Mapping[str, object]:
        with self._lock:
            if message_id in self.inbox:
                raise Conflict("This alert was received before.", remedy="Nothing to do.", message_id=message_id)
            self.inbox[message_id] = event
            if given_by:
                self.given_by[message_id] = given_by
            return {"accepted": True}

    def alerts(self, limit: int = 50) -> Sequence[AlertView]:
        with self._lock:
            seen = [
                AlertView(message_id=message_id, source=str(event["source"]), received_at=self.clock(), status="new")
                for message_id, event in self.inbox.items()
            ]
            return seen[::-1][:limit]

    def datasets(self) -> Sequence[DatasetView]:
        return [
            DatasetView(
                version="ds-1-ab12cd34",
                as_of=date(2026, 6, 30),
                created_at=datetime(2026, 6, 30, 8, tzinfo=UTC),
                active=True,
                parent=None,
                source="demo",
                rows=120,
            )
        ]

    def rejects(self, limit: int = 500) -> Sequence[RejectView]:
        return self.turned_away[:limit]

    def close(self) -> None:
        pass

    def forecast(self, item_id: str, site_id: str | None = None, version: str | None = None) -> ForecastView:
        item = next((one for one in self.items if one.item_id == item_id), None)
        if item is None or site_id not in (None, "MAIN"):
            raise NotFound(
                f"There is no item {item_id}.", remedy=f"Did you mean {self.items[0].item_id}?", item_id=item_id
            )
        estimate = self._estimate_named(version)
        return forecast_of(item, estimate, self._tested(item_id, estimate.version))

    def forecasts(self, version: str | None = None) -> Sequence[ForecastRowView]:
        made = self._estimate_named(version).version
        return [row_of(item, made, self._tested(item.item_id, made)) for item in self.items]

    def estimates(self, limit: int = 20) -> Sequence[EstimateView]:
        with self._lock:
            return self.versions[:limit]

    def activate_estimates(self, version: str, actor: str, reason: str = "") -> EstimateView:
        with self._lock:
            wanted = self._estimate_named(None if version == "configured" else version)
            self.versions = [version_of(one.number, one == wanted, actor, reason) for one in self.versions]
            return self._estimate_named(wanted.version)

    def backtest(self, version: str | None = None) -> Sequence[BacktestView]:
        self.tested.add(self._estimate_named(version).version)
        return self.backtests(version)

    def backtests(self, version: str | None = None) -> Sequence[BacktestView]:
        made = self._estimate_named(version).version
        return [backtest_of(item, made) for item in self.items] if made in self.tested else []

    def _tested(self, item_id: str, version: str) -> BacktestView | None:
        return next((one for one in self.backtests(version) if one.name == item_id), None)

    def _estimate_named(self, version: str | None) -> EstimateView:
        found = next((one for one in self.versions if one.version == version or (not version and one.active)), None)
        if found is None:
            raise NotFound(f"There is no estimate version {version}.", remedy="See the versions.", version=version)
        return found

    def lead_times(self, subject: str | None = None, version: str | None = None) -> LeadTimesView:
        return lead_times_of(subject, self._estimate_named(version).version)

    def observe(self, advance_days: int = 0) -> Mapping[str, object]:
        return {"advanced_days": advance_days, "receipts": 0}

    def backup(self, file: str = "", *, actor: str = "", tell: Callable[[str], None] = silent) -> Mapping[str, object]:
        tell("Copying nothing")
        raise BadInput(f"{file or 'The file'} is there already.", remedy="Name another file.")

    def halt(self, actor: str, on: bool = True) -> Mapping[str, object]:
        self.halted = on
        return {"halted": on}

    def diagnose(self) -> Sequence[PartView]:
        return [PartView(part="erp", ok=True, detail="answers")]

    def status(self) -> Mapping[str, object]:
        return {
            "dataset": self.dataset,
            "as_of": "2026-06-30",
            "policy": "policy-77aa10",
            "model": "rules",
            "journal_lag_rows": 0,
            "erp": "ok",
            "halted": self.halted,
        }
