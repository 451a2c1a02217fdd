"""The only door: start, watch, decide, explain, replay and roll back sourcing runs."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

import orjson

from graph.computation.desk import Desk, DeskSettings, Scope
from graph.computation.provenance import replayed_estimates
from graph.contracts import silent
from graph.decisions.approvals import ApprovalDesk
from graph.facts import records
from graph.facts.drift import replayed_drift
from graph.incoming.conversation import Conversation
from graph.incoming.imports import Imports
from graph.incoming.intake import AlertIntake
from graph.parts import Parts, open_parts
from graph.reading.reading import Readings
from graph.run.build import build
from graph.run.catching_up import CatchUp
from graph.run.driver import RunDriver
from graph.run.transitions import stable_hash
from graph.settings import Settings
from graph.upkeep.backups import Backups
from graph.upkeep.diagnosis import diagnose
from graph.upkeep.old_homes import OLD_ORDERS, move_old_runs
from graph.views.forecasts import BacktestView, EstimateView
from graph.views.installation import PartView
from graph.views.orders import ApprovalView, EditPreviewView
from graph.views.plans import AnswerView
from graph.views.runs import AlertView, RunView, StepView, Trigger
from store.accounts import ONE_PERSON
from store.audit.journal import TransitionDraft
from tools.domain.errors import BadInput, Conflict, StorageOutOfReach

LOG = logging.getLogger(__name__)
CANCEL_SECONDS = 10.0
"""How long whoever cancels a run waits for it to end: it ends between two parts of a step."""
BACKTESTED_SERIES = 2_000
"""A larger catalogue is measured only when somebody asks."""


class LocalSession(Readings):
    """A session that owns the databases of one home. Safe across threads; one drive of a run at a time."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, parts.context.desk, lambda: parts.context.agents.analyst)
        self._parts = parts
        self._readback = parts.readback
        self._driver = RunDriver(parts, build(parts.checkpointer), self._readback.fresh_version)
        self._catch_up = CatchUp(parts, self._driver)
        self._desk = ApprovalDesk(parts, self._driver.take_in, self._catch_up.drain, self.approval)
        self._intake = AlertIntake(parts, self._driver)
        self._talk = Conversation(parts.operations, self._answering, lambda trigger: self.stream(trigger=trigger))
        self._backups = Backups(parts)
        self._imports = Imports(parts)
        parts.journal.start_projector()
        self._imports.seed_empty_erp()
        move_old_runs(parts.operations, self._old_values)
        self._driver.recover()
        self._intake.open()
        self._catch_up.worker.start()

    def warm(self) -> None:
        """Make the active dataset's estimates and options, so that an alert finds them ready; then measure them."""
        try:
            self._warm()
        except StorageOutOfReach as error:
            LOG.warning("Nothing was made ready ahead of the next run: %s", error)

    def _warm(self) -> None:
        version = self._parts.warehouse.active_version()
        if version is not None:
            self._read_ahead()
            desk = self._parts.context.desk
            made = desk.current_estimates(version)
            dataset = desk.dataset(version)
            desk.options(Scope(version, tuple(dataset.items), estimate_version=made))
            if len(dataset.demand) <= BACKTESTED_SERIES and not self.backtests(made):
                self.backtest(made)

    def _read_ahead(self) -> None:
        """What every page of a plan is made from, so that the first who opens one does not wait for it."""
        if self._parts.operations.runs(1):
            self.plan(series=False)
            with suppress(BadInput):  # a dataset without offers has no lead times
                self.lead_times()

    def close(self) -> None:
        """Finish the alert under way and take in what was decided, then release everything."""
        self._intake.close()
        self._catch_up.worker.stop()
        try:
            self._driver.deliver_together()
        finally:
            self._parts.close()

    def import_folder(self, folder: str, *, as_of: date | None = None, lenient: bool = False) -> Mapping[str, Any]:
        """Read a folder into a new dataset version, and start the sandbox ERP over from it."""
        told = self._imports.read_folder(folder, as_of, lenient=lenient)
        if told["version"]:
            self._log("import", "", {"version": told["version"], "folder": folder})
        return told

    def start(self, trigger: Trigger) -> str:
        """Run until it ends or waits for people; returns the run id."""
        run_id = self._driver.create(trigger)
        for _ in self._driver.drive(run_id):
            pass
        return run_id

    def stream(self, run_id: str | None = None, trigger: Trigger | None = None) -> Iterator[StepView]:
        """Steps of a new run as they finish, or those stored of an old one."""
        if trigger is None:
            named = run_id or self._plans.latest().run_id
            yield from self.stored_steps(named)
            yield from self._driver.under_way(named)
        else:
            yield from self._driver.drive(self._driver.create(trigger))

    def cancel(self, actor: str, run_id: str | None = None, reason: str = "") -> RunView:
        """End a run while it computes, the latest such when none is named: nothing of it is published."""
        cancels = self._parts.context.cancels
        named = run_id or next(iter(cancels.runs), None)
        if named is None:
            raise Conflict("No run computes just now.", remedy="`jit runs` lists the runs and where each stands.")
        status = self._parts.operations.run(named).status
        if not cancels.ask(named, f"Cancelled by {actor}{f': {reason}' if reason else ''}."):
            raise Conflict(
                f"{named} is past computing: it {'publishes its orders' if status == 'running' else f'is {status}'}.",
                remedy="Orders that wait are decided one by one: `jit approvals`; `jit withdraw` takes one back.",
                run_id=named,
            )
        self._log("cancel", actor, {"run_id": named, "reason": reason})
        cancels.until_over(named, CANCEL_SECONDS)
        return self._plans.run(named)

    def _old_values(self, run_id: str) -> Mapping[str, Any]:
        """What an earlier version left of a run: its checkpoint, or its routed orders in the warehouse."""
        return self._driver.values(run_id) or self._parts.warehouse.artifact(run_id, *OLD_ORDERS) or {}

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
        """Decide once; the run takes the decision in at once, or when the program starts again."""
        return self._desk.decide(approval_id, decision, actor, reason, content_hash, edits, until)

    def preview_edit(self, approval_id: str, edits: Mapping[str, float]) -> EditPreviewView:
        """What an order would cost at other quantities; nothing is saved."""
        return self._desk.preview(approval_id, edits)

    def reconsider(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        """Take a rejection or an edit back, so that the next run proposes its lines as it computes them."""
        found = self._desk.reconsider(approval_id, actor, reason)
        self._log("reconsider", actor, {"approval_id": approval_id, "order_key": found.order_key, "reason": reason})
        return found

    def one_person(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Say, once and in the journal, that this installation has one person; or that it no longer does."""
        signers = self._parts.operations.signers()
        if on and len(signers) > 1:
            raise Conflict(
                f"{len(signers)} people may sign here: {', '.join(signers)}.",
                remedy="Where there are two, one proposes and the other signs.",
            )
        with self._parts.operations.together():
            self._parts.operations.set_flag(ONE_PERSON, actor if on else "")
            self._log("one_person", actor, {"one_person": on})
        return {"one_person": on, "by": actor}

    def withdraw(self, approval_id: str, actor: str, reason: str = "") -> ApprovalView:
        """Take an approval back: drop its order before it leaves, or cancel it in the ERP."""
        withdrawn = self._desk.withdraw(approval_id, actor, reason)
        self._log("withdraw", actor, {"approval_id": approval_id, "order_key": withdrawn.order_key, "reason": reason})
        return withdrawn

    def ask(self, question: str, *, actor: str, conversation: str = "main") -> AnswerView:
        """Answer from stored facts, or replan when the question asks for it."""
        return self._talk.ask(question, actor, conversation)

    def replay(self, run_id: str) -> Mapping[str, object]:
        """Plan a run again from its dataset and its stored estimates, and compare bit for bit."""
        context, versions = self._parts.context, self._parts.operations.run(run_id).versions
        made_for = records.stored_scope(run_id, context.warehouse)
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
        self._imports.void_what_moved(before, point_id)
        self._log("rollback", actor, {"active": point_id, "before": before or ""})
        return {"active": point_id, "before": before or "", "by": actor}

    def receive_alert(
        self, message_id: str, event: Mapping[str, object], source: str, given_by: str = ""
    ) -> Mapping[str, object]:
        """Store an alert once; a thread of its own replans what it affects. Who gives one by hand is journalled."""

        def journalled() -> None:
            if given_by:
                self._log("alert", given_by, {"message_id": message_id, "source": source})

        return self._intake.receive(message_id, event, source, given_by, journalled)

    def alerts(self, limit: int = 50) -> Sequence[AlertView]:
        """Alerts that were received, latest first, and the run that each set off."""
        return self._intake.alerts(limit)

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

    def observe(self, advance_days: int = 0) -> Mapping[str, object]:
        """Read receipts, confirmations, stock and demand back from the ERP into a new dataset version."""
        found = self._readback.observe(advance_days)
        self._log("observe", "", found)
        return found

    def backup(self, file: str = "", *, actor: str = "", tell: Callable[[str], None] = silent) -> Mapping[str, object]:
        """Write one file that holds every database as of one moment, while everybody goes on."""
        return self._backups.make(file, actor or "session", tell)

    def halt(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Stop, or allow again, every dispatch."""
        with self._parts.operations.together():
            self._parts.operations.set_flag("halted", actor if on else "")
            self._log("halt" if on else "resume_dispatch", actor, {"halted": on})
        if not on:
            self._catch_up.drain()
        return {"halted": on, "by": actor}

    def _log(self, event: str, actor: str, payload: Mapping[str, Any]) -> None:
        """A journal row for what happens outside of a run."""
        now = datetime.now(UTC)
        self._parts.journal.record(
            TransitionDraft("", "session", event, "ok", now, now, actor=actor or "session", payload=dict(payload))
        )

    def diagnose(self) -> Sequence[PartView]:
        """Ask every part whether it answers, the model's server included."""
        return diagnose(self._parts, self._intake.worker, self._catch_up.worker, len(self._driver.owed))

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
            "one_person": self._parts.operations.of_one_person(),
            "outbox_waiting": outbox.get("queued", 0) + outbox.get("leased", 0),
            "outbox_failed": outbox.get("failed", 0),
        }


def open_session(settings: Settings) -> LocalSession:
    """Open the session of a home. OutOfReach when another process owns its warehouse."""
    return LocalSession(open_parts(settings))
