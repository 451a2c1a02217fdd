"""The only door: start, watch, decide, explain, replay and roll back sourcing runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from graph import queries, records
from graph.approvals import ApprovalDesk
from graph.build import build
from graph.changes import changes_since
from graph.conversation import Conversation
from graph.desk import Desk, DeskSettings, Scope
from graph.diagnosis import diagnose
from graph.drift import replayed_drift
from graph.driver import RunDriver
from graph.forecast_views import BacktestView, EstimateView, ForecastRowView, ForecastView
from graph.forecasts import ForecastDesk
from graph.lead_time_views import LeadTimesView
from graph.lead_times import LeadTimeDesk
from graph.line_stories import line_story
from graph.line_story_views import LineStoryView
from graph.old_homes import move_old_runs
from graph.parts import Parts, open_parts
from graph.progress import OrderCounts, stored_step
from graph.provenance import replayed_estimates
from graph.settings import Settings
from graph.transitions import stable_hash
from graph.triggers import AlertIntake
from graph.views import (
    AlertView,
    AnswerView,
    ApprovalView,
    ChangeView,
    DatasetView,
    JournalCheckView,
    PartView,
    PlanView,
    RejectView,
    RunView,
    StepView,
    TransitionView,
    Trigger,
)
from store.ingest import import_folder
from store.journal import TransitionDraft
from tools.domain.datasets import Dataset
from tools.domain.errors import NotFound
from tools.domain.orders import Order

BACKTESTED_SERIES = 2_000
"""A larger catalogue is measured only when somebody asks."""
RUNS_COMPARED = 20
"""Latest runs among which the earlier plan of an item is looked for."""
SANDBOX_SAMPLES = 100
"""Lead-time draws per offer that the sandbox ERP is seeded with."""


class LocalSession:
    """A session that owns the databases of one home. Safe across threads; one drive of a run at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._readback = parts.readback
        self._driver = RunDriver(parts, build(parts.checkpointer), self._readback.fresh_version)
        self._desk = ApprovalDesk(parts, self._driver.deliver)
        self._intake = AlertIntake(parts, self.start)
        self._forecasts = ForecastDesk(parts.warehouse, parts.context.desk)
        self._lead_times = LeadTimeDesk(parts.context.desk)
        self._talk = Conversation(
            parts,
            self._plan_or_none,
            self.pending,
            lambda trigger: self.stream(trigger=trigger),
            self._lead_times.lead_times,
        )
        parts.journal.start_projector()
        move_old_runs(parts.operations, self._driver.values)
        self._driver.recover()
        self._intake.open()

    def warm(self) -> None:
        """Make the active dataset's estimates and options, so that an alert finds them ready; then measure them."""
        version = self._parts.warehouse.active_version()
        if version is not None:
            desk = self._parts.context.desk
            made = desk.current_estimates(version)
            dataset = desk.dataset(version)
            desk.options(Scope(version, tuple(dataset.items), estimate_version=made))
            if len(dataset.demand) <= BACKTESTED_SERIES and not self.backtests(made):
                self.backtest(made)

    def close(self) -> None:
        """Finish the alert under way, then release everything."""
        self._intake.close()
        self._parts.close()

    def import_folder(self, folder: str, *, as_of: date | None = None, lenient: bool = False) -> Mapping[str, Any]:
        """Read a folder into a new dataset version, and start the sandbox ERP over from it."""
        report = import_folder(Path(folder), as_of, self._parts.warehouse, lenient=lenient)
        if report.version:
            self._seed_erp(report.version)
            self._log("import", "", {"version": report.version, "folder": folder})
        return orjson.loads(orjson.dumps(asdict(report), default=str))

    def _seed_erp(self, version: str) -> None:
        desk, seed = self._parts.context.desk, self._parts.settings.seed
        dataset = desk.dataset(version)
        days = {
            offer_id: [int(day) for day in made.sample(np.random.default_rng(seed), SANDBOX_SAMPLES)]
            for offer_id, made in desk.lead_times(version).items()
        }
        daily = {
            item: float(history.quantities.sum()) / max(1, int((history.dates[-1] - history.dates[0]).astype(int)))
            for (item, _), history in dataset.demand.items()
            if history.dates.size > 1
        }
        self._parts.erp.seed_from(dataset, days, daily)
        self._parts.operations.erp_started_over()

    def start(self, trigger: Trigger) -> str:
        """Run until it ends or waits for people; returns the run id."""
        run_id = self._driver.create(trigger)
        for _ in self._driver.drive(run_id):
            pass
        return run_id

    def stream(self, run_id: str | None = None, trigger: Trigger | None = None) -> Iterator[StepView]:
        """Steps of a new run as they finish, or those stored of an old one."""
        if trigger is None:
            yield from self._steps(run_id or self._latest())
        else:
            yield from self._driver.drive(self._driver.create(trigger))

    def _steps(self, run_id: str) -> list[StepView]:
        rows = self._parts.journal.transitions(run_id)
        parts = self._parts
        counts = OrderCounts.of(run_id, parts.operations)
        return [stored_step(row, parts.warehouse, counts) for row in rows if row.event == "node"]

    def _latest(self) -> str:
        found = self._parts.operations.runs(1)
        if not found:
            raise NotFound("No run is stored yet.", remedy="Start one with `jit plan`.")
        return found[0].run_id

    def runs(self, limit: int = 20) -> Sequence[RunView]:
        """Latest first."""
        return queries.run_views(self._parts.operations.runs(limit), self._parts.operations)

    def plan(self, run_id: str | None = None) -> PlanView:
        """Everything stored about a run: its orders as the ledger has them now."""
        operations, wanted = self._parts.operations, run_id or self._latest()
        (run,) = queries.run_views([operations.run(wanted)], operations)
        dataset = self._parts.context.desk.dataset(run.dataset_version)
        orders = operations.orders_of(wanted)
        view = queries.plan_view(run, orders, self._steps(wanted), dataset, self._parts.warehouse)
        return view.model_copy(update={"changes": self._changes(wanted, orders, dataset)})

    def _changes(self, run_id: str, orders: Sequence[Order], dataset: Dataset) -> tuple[ChangeView, ...]:
        """Against the plans published before this one, as far back as are looked at."""
        operations = self._parts.operations
        known = operations.publications_until(run_id, RUNS_COMPARED)
        if not known:
            return ()
        own, before = known[0], known[1:]
        found: dict[str, list[Order]] = {}
        for order in operations.orders_of(*(one.run_id for one in before)):
            found.setdefault(order.run_id, []).append(order)
        earlier = ((one.run_id, one.item_ids, found.get(one.run_id, [])) for one in before)
        return changes_since(own.item_ids, orders, earlier, dataset)

    def _plan_or_none(self, run_id: str | None) -> PlanView | None:
        return self.plan(run_id) if run_id or self._parts.operations.runs(1) else None

    def pending(self) -> Sequence[ApprovalView]:
        """Approvals that wait, oldest first."""
        return self._desk.pending()

    def approval(self, approval_id: str) -> ApprovalView:
        """One approval."""
        return self._desk.approval(approval_id)

    def decided(self, limit: int = 20) -> Sequence[ApprovalView]:
        """Approvals that no longer wait, latest first, with what the ERP made of them."""
        return self._desk.decided(limit)

    def decide(
        self,
        approval_id: str,
        decision: str,
        actor: str,
        reason: str = "",
        *,
        content_hash: str | None = None,
        edits: Mapping[str, float] | None = None,
    ) -> ApprovalView:
        """Decide once; the run takes the decision in at once, or when the program starts again."""
        return self._desk.decide(approval_id, decision, actor, reason, content_hash, edits)

    def withdraw(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        """Take an approval back: drop its order before it leaves, or cancel it in the ERP."""
        withdrawn = self._desk.withdraw(approval_id, actor, reason)
        self._log("withdraw", actor, {"approval_id": approval_id, "order_key": withdrawn.order_key, "reason": reason})
        return withdrawn

    def explain(self, run_id: str | None = None, subject: str | None = None) -> AnswerView:
        """Why the plan, a line, an item or a supplier came out as it did."""
        return self._talk.answer(f"why {subject}" if subject else "option choice why", run_id)

    def line_story(self, line_id: str, run_id: str | None = None) -> LineStoryView:
        """What other quantities, sources, terms and limits would mean for a line."""
        return line_story(run_id or self._latest(), line_id, self._parts.context, self._parts.operations)

    def ask(self, question: str, *, actor: str, conversation: str = "main") -> AnswerView:
        """Answer from stored facts, or replan when the question asks for it."""
        return self._talk.ask(question, actor, conversation)

    def messages(self, conversation: str = "main") -> Sequence[Mapping[str, object]]:
        """The stored conversation, oldest first."""
        return self._talk.messages(conversation)

    def replay(self, run_id: str) -> Mapping[str, object]:
        """Plan a run again from its dataset and its stored estimates, and compare bit for bit."""
        context, versions = self._parts.context, self._parts.operations.run(run_id).versions
        made_for = records.stored_scope(run_id, context)
        stored = context.warehouse.artifact(run_id, "plan", "choice") or {}
        fresh = Desk(context.warehouse, DeskSettings.of(versions["desk"]))
        plan = fresh.plan(made_for, stored["choices"])
        replayed = stable_hash(orjson.loads(orjson.dumps(records.plan_hash_parts(plan))))
        before = stable_hash(stored["plan_hash"])
        found = {"identical": replayed == before, "stored": before, "replayed": replayed}
        estimates, dataset = fresh.estimates(made_for), fresh.dataset(made_for.dataset_version)
        drift = replayed_drift(run_id, dataset, estimates.forecasts, made_for.item_ids, context.warehouse)
        return {**found, **replayed_estimates(estimates), **drift}

    def rollback(self, point_id: str, actor: str) -> Mapping[str, object]:
        """Make an earlier dataset version active again."""
        before = self._parts.warehouse.active_version()
        self._parts.warehouse.activate(point_id)
        self._log("rollback", actor, {"active": point_id, "before": before or ""})
        return {"active": point_id, "before": before or "", "by": actor}

    def journal(self, run_id: str | None = None) -> Sequence[TransitionView]:
        """Transitions in order."""
        return [queries.transition_view(row) for row in self._parts.journal.transitions(run_id)]

    def verify_journal(self) -> JournalCheckView:
        """Check the hash chain and its completeness."""
        check = self._parts.journal.verify()
        lag = self._parts.journal.lag()
        return JournalCheckView(
            ok=check.ok, rows=check.rows, reason=check.reason or "", head_hash=check.head_hash, lag_rows=lag.rows
        )

    def receive_alert(self, message_id: str, event: Mapping[str, object], source: str) -> Mapping[str, object]:
        """Store an alert once; a thread of its own replans what it affects."""
        return self._intake.receive(message_id, event, source)

    def alerts(self, limit: int = 50) -> Sequence[AlertView]:
        """Alerts that were received, latest first, and the run that each set off."""
        return self._intake.alerts(limit)

    def datasets(self) -> Sequence[DatasetView]:
        """Dataset versions, newest first; the active one is planned on, any can be made active again."""
        return [queries.dataset_view(info) for info in self._parts.warehouse.datasets()]

    def rejects(self, limit: int = 500) -> Sequence[RejectView]:
        """Rows that imports turned away, latest import first."""
        return [RejectView.model_validate(asdict(row)) for row in self._parts.warehouse.rejects()[-limit:]]

    def forecast(self, item_id: str, site_id: str | None = None, version: str | None = None) -> ForecastView:
        """An item's demand forecast with accuracy and provenance."""
        return self._forecasts.forecast(item_id, site_id, version)

    def forecasts(self, version: str | None = None) -> Sequence[ForecastRowView]:
        """Every item's forecast in a row, the worst accuracy first."""
        return self._forecasts.forecasts(version)

    def estimates(self, limit: int = 20) -> Sequence[EstimateView]:
        """Estimate versions, newest first, each with what differs from the one before."""
        return self._forecasts.estimates(limit)

    def activate_estimates(self, version: str, actor: str, reason: str = "") -> EstimateView:
        """Plan with an earlier estimate version; `configured` goes back to the settings."""
        before = self._parts.warehouse.active_estimates()
        made = self._forecasts.activate(version, actor, reason)
        former = before.version if before else ""
        self._log("activate_estimates", actor, {"active": made.version, "before": former, "reason": reason})
        return made

    def backtest(self, version: str | None = None) -> Sequence[BacktestView]:
        """Forecast again from earlier clocks and store the accuracy."""
        return self._forecasts.backtest(version)

    def backtests(self, version: str | None = None) -> Sequence[BacktestView]:
        """The stored accuracy of a version; empty before its backtest."""
        return self._forecasts.backtests(version)

    def lead_times(self, subject: str | None = None, version: str | None = None) -> LeadTimesView:
        """How suppliers keep their quotes; of a supplier, item or order its offers and when open orders arrive."""
        return self._lead_times.lead_times(subject, version)

    def observe(self, advance_days: int = 0) -> Mapping[str, object]:
        """Read receipts, confirmations, stock and demand back from the ERP into a new dataset version."""
        found = self._readback.observe(advance_days)
        self._log("observe", "", found)
        return found

    def halt(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Stop, or allow again, every dispatch."""
        self._parts.operations.set_flag("halted", actor if on else "")
        self._log("halt" if on else "resume_dispatch", actor, {"halted": on})
        if not on:
            self._parts.context.outbox.drain()
        return {"halted": on, "by": actor}

    def _log(self, event: str, actor: str, payload: Mapping[str, Any]) -> None:
        """A journal row for what happens outside of a run."""
        now = datetime.now(UTC)
        self._parts.journal.record(
            TransitionDraft("", "session", event, "ok", now, now, actor=actor or "session", payload=dict(payload))
        )

    def diagnose(self) -> Sequence[PartView]:
        """Ask every part whether it answers, the model's server included."""
        return diagnose(self._parts)

    def status(self) -> Mapping[str, object]:
        """Active dataset, policy version, model, journal lag, ERP health, halted."""
        lag = self._parts.journal.lag()
        outbox = self._parts.operations.outbox_counts()
        active = self._parts.warehouse.active_estimates()
        return {
            "dataset": self._parts.warehouse.active_version() or "none",
            "estimates": (active.version + (" (held)" if active.held else "")) if active else "none",
            "policy": self._parts.context.rules.version,
            "model": self._parts.settings.llm_model or "rules",
            "journal_lag_rows": lag.rows,
            "erp": self._parts.erp.health(),
            "halted": bool(self._parts.operations.flag("halted")),
            "outbox_waiting": outbox.get("queued", 0) + outbox.get("leased", 0),
            "outbox_failed": outbox.get("failed", 0),
        }


def open_session(settings: Settings) -> LocalSession:
    """Open the session of a home. OutOfReach when another process owns its warehouse."""
    return LocalSession(open_parts(settings))
