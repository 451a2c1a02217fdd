"""The only door: start, watch, decide, explain, replay and roll back sourcing runs."""

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agents.contracts import AnalystBrief
from graph import queries, records
from graph.build import Graph, build
from graph.desk import Scope
from graph.nodes import scope_of
from graph.parts import Parts, open_parts
from graph.settings import Settings
from graph.transitions import JournalCallbacks, stable_hash
from graph.views import (
    AnswerView,
    ApprovalView,
    JournalCheckView,
    PlanView,
    RunView,
    StepView,
    TransitionView,
    Trigger,
    TriggerKind,
)
from policies.approval import may_decide
from policies.gates import Effect, Tier
from store.ingest import import_folder
from tools.domain.errors import BadInput, Conflict, NotAllowed, NotFound

CODE_VERSION = "0.1.0"
LOCAL_ROLE = "manager"
"""Role of somebody who is no registered user and works on the machine itself, while there are no users."""


class LocalSession:
    """A session that owns the databases of one home. Safe across threads; one drive of a run at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._graph: Graph = build(parts.checkpointer)
        self._drives: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        parts.journal.start_projector()
        self.recover()

    def close(self) -> None:
        """Release everything."""
        self._parts.close()

    def import_folder(self, folder: str, *, as_of: date | None = None, lenient: bool = False) -> Mapping[str, Any]:
        """Read a folder into a new dataset version, and start the sandbox ERP over from it."""
        report = import_folder(Path(folder), as_of, self._parts.warehouse, lenient=lenient)
        if report.version:
            self._seed_erp(report.version)
        return orjson.loads(orjson.dumps(asdict(report), default=str))

    def _seed_erp(self, version: str) -> None:
        desk = self._parts.context.desk
        dataset = desk.dataset(version)
        lead_times = desk.lead_times(version)
        days = {
            key: [int(day) for day in made.sample(np.random.default_rng(self._parts.settings.seed), 100)]
            for key, made in lead_times.items()
        }
        last_year = {
            item: float(history.quantities.sum()) / max(1, int((history.dates[-1] - history.dates[0]).astype(int)))
            for (item, _), history in dataset.demand.items()
            if history.dates.size > 1
        }
        self._parts.erp.seed_from(dataset, days, last_year)

    def start(self, trigger: Trigger) -> str:
        """Run until it ends or waits for people."""
        steps = list(self.stream(trigger=trigger))
        return steps[-1].run_id

    def stream(self, run_id: str | None = None, trigger: Trigger | None = None) -> Iterator[StepView]:
        """Steps of a new run as they finish, or those stored of an old one."""
        if trigger is None:
            yield from self._steps(run_id or self._latest())
            return
        yield from self._drive(self._create(trigger), trigger)

    def _create(self, trigger: Trigger) -> str:
        version = trigger.dataset_version or self._parts.warehouse.active_version()
        dataset = self._parts.context.desk.dataset(version or "")
        unknown = sorted(set(trigger.item_ids) - set(dataset.items))
        if unknown:
            raise BadInput(
                f"There is no item {', '.join(unknown)} in dataset {dataset.version}.",
                remedy=f"Items are for example {', '.join(list(dataset.items)[:5])}.",
            )
        run_id = f"run-{datetime.now(UTC):%y%m%d%H%M%S}-{uuid.uuid4().hex[:6]}"
        versions = {
            "dataset": dataset.version,
            "policy": self._parts.context.rules.version,
            "code": CODE_VERSION,
            "seed": str(self._parts.settings.seed),
        }
        self._parts.operations.create_run(
            run_id, trigger.model_dump(mode="json"), trigger.actor, dataset.version, versions
        )
        return run_id

    def _drive(self, run_id: str, trigger: Trigger) -> Iterator[StepView]:
        row = self._parts.operations.run(run_id)
        first = {
            "run_id": run_id,
            "trigger": trigger.model_dump(mode="json"),
            "dataset_version": row.dataset_version,
            "versions": dict(row.versions),
        }
        with self._lock_of(run_id):
            yield from self._go_on(run_id, first)

    def _go_on(self, run_id: str, given: Any) -> Iterator[StepView]:
        """Drive the graph until it ends or waits, then note where the run stands."""
        started = datetime.now(UTC)
        failed = True
        try:
            for kind, update in self._graph.stream(
                given,
                self._config(run_id),
                context=self._parts.context,
                stream_mode=["updates"],
                durability="sync",
            ):
                del kind
                for node in update:
                    if node in queries.PROGRESS_TITLES:
                        yield self._step(run_id, node, started)
                        started = datetime.now(UTC)
            failed = False
        finally:
            self._note(run_id, failed=failed)

    def _config(self, run_id: str) -> RunnableConfig:
        row = self._parts.operations.run(run_id)
        callbacks = JournalCallbacks(
            self._parts.journal,
            run_id,
            str(row.trigger["kind"]),
            row.actor,
            {key: str(value) for key, value in row.versions.items()},
        )
        return {"configurable": {"thread_id": run_id}, "callbacks": [callbacks], "max_concurrency": 4}

    def _lock_of(self, run_id: str) -> threading.Lock:
        with self._guard:
            return self._drives.setdefault(run_id, threading.Lock())

    def _state(self, run_id: str) -> Any:
        return self._graph.get_state({"configurable": {"thread_id": run_id}})

    def _note(self, run_id: str, *, failed: bool) -> None:
        state = self._state(run_id)
        routed = state.values.get("routed", [])
        kept = [order for order in routed if order["route"] != "drop"]
        stopped = str(state.values.get("stopped", ""))
        summary = {
            "lines": sum(len(order["lines"]) for order in kept),
            "order_value": sum(line["value"] for order in kept for line in order["lines"]),
            "currency": kept[0]["currency"] if kept else "",
            "text": stopped or f"{len(kept)} orders",
        }
        status = "stopped" if stopped else "waiting" if state.interrupts else "done"
        self._parts.operations.set_run_status(run_id, "failed" if failed else status, summary)

    def _step(self, run_id: str, node: str, started: datetime) -> StepView:
        now = datetime.now(UTC)
        return StepView(
            run_id=run_id,
            node=node,
            title=queries.PROGRESS_TITLES[node],
            summary=queries.step_summary(node, run_id, self._parts.warehouse, self._parts.operations),
            seconds=(now - started).total_seconds(),
            at=now,
        )

    def _steps(self, run_id: str) -> list[StepView]:
        return [
            StepView(
                run_id=run_id,
                node=row.node,
                title=queries.PROGRESS_TITLES.get(row.node, row.node),
                summary=queries.step_summary(row.node, run_id, self._parts.warehouse, self._parts.operations),
                seconds=(row.ended_at - row.started_at).total_seconds(),
                status=row.status,
                at=row.ended_at,
            )
            for row in self.journal(run_id)
            if row.event == "node"
        ]

    def _latest(self) -> str:
        found = self._parts.operations.runs(1)
        if not found:
            raise NotFound("No run is stored yet.", remedy="Start one with `jit plan`.")
        return found[0].run_id

    def runs(self, limit: int = 20) -> Sequence[RunView]:
        """Latest first."""
        return [queries.run_view(row, self._parts.operations) for row in self._parts.operations.runs(limit)]

    def plan(self, run_id: str | None = None) -> PlanView:
        """Everything stored about a run."""
        wanted = run_id or self._latest()
        run = queries.run_view(self._parts.operations.run(wanted), self._parts.operations)
        dataset = self._parts.context.desk.dataset(run.dataset_version)
        orders = self._state(wanted).values.get("routed", [])
        steps = self._steps(wanted)
        return queries.plan_view(run, orders, steps, dataset, self._parts.warehouse, self._parts.operations)

    def pending(self) -> Sequence[ApprovalView]:
        """Approvals that wait, oldest first."""
        return [self.approval(row.approval_id) for row in self._parts.operations.approvals("pending")]

    def approval(self, approval_id: str) -> ApprovalView:
        """One approval."""
        row = self._parts.operations.approval(approval_id)
        version = self._parts.operations.run(row.run_id).dataset_version
        return queries.approval_view(row, self._parts.context.desk.dataset(version))

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
        operations = self._parts.operations
        row = operations.approval(approval_id)
        policy = self._parts.context.rules.version
        allowed = may_decide(actor, self._role(actor), row.proposed_by, Tier(row.tier), policy)
        if allowed.effect is Effect.DENY:
            raise NotAllowed(allowed.reason, remedy="Ask somebody else to decide.", approval_id=approval_id)
        self._check_edits(decision, edits, row.payload)
        operations.decide_approval(approval_id, decision, actor, reason, content_hash or row.content_hash, edits)
        self._deliver(row.run_id)
        return self.approval(approval_id)

    def _check_edits(self, decision: str, edits: Mapping[str, float] | None, order: Mapping[str, Any]) -> None:
        if decision != "edit":
            return
        known = {line["line_id"] for line in order["lines"]}
        wrong = sorted(set(edits or {}) - known)
        if not edits or wrong or any(quantity < 0 for quantity in edits.values()):
            raise BadInput(
                f"An edit needs quantities of zero or more for lines of this order{f', not {wrong}' if wrong else ''}.",
                remedy=f"Lines are {', '.join(sorted(known))}.",
            )

    def _role(self, actor: str) -> str:
        users = self._parts.operations.users()
        known = [user.role for user in users if user.name == actor]
        return known[0] if known else ("viewer" if users else LOCAL_ROLE)

    def _deliver(self, run_id: str) -> None:
        """Resume a run with every decision that it has not taken in yet."""
        with self._lock_of(run_id):
            decided = [row for row in self._parts.operations.undelivered_decisions() if row.run_id == run_id]
            waiting = {pause.value["approval_id"]: pause.id for pause in self._state(run_id).interrupts}
            answers = {
                waiting[row.approval_id]: {
                    "decision": row.decision,
                    "actor": row.decided_by,
                    "reason": row.reason,
                    "content_hash": row.content_hash,
                    "edits": dict(row.edits or {}),
                }
                for row in decided
                if row.approval_id in waiting
            }
            if answers:
                for _ in self._go_on(run_id, Command(resume=answers)):
                    pass
            for row in decided:
                self._parts.operations.mark_approval_applied(row.approval_id)

    def recover(self) -> None:
        """After a crash: deliver stored decisions, go on with runs cut off in the middle, drain the outbox."""
        for run_id in sorted({row.run_id for row in self._parts.operations.undelivered_decisions()}):
            self._deliver(run_id)
        for row in self._parts.operations.runs(50):
            if row.status == "running" and self._state(row.run_id).next:
                with self._lock_of(row.run_id):
                    for _ in self._go_on(row.run_id, None):
                        pass
        self._parts.context.outbox.drain()

    def explain(self, run_id: str | None = None, subject: str | None = None) -> AnswerView:
        """Why the plan, a line, an item or a supplier came out as it did."""
        return self._answer(f"why {subject}" if subject else "option choice why", run_id)

    def ask(self, question: str, *, actor: str, conversation: str = "main") -> AnswerView:
        """Answer from stored facts, or replan when the question asks for it."""
        operations = self._parts.operations
        operations.add_message(conversation, "user", question, {"actor": actor})
        words = question.casefold().split()
        if words and words[0] in ("plan", "replan"):
            items = tuple(word.upper().strip(",.") for word in words[1:] if word.upper().strip(",.") in self._items())
            trigger = Trigger(kind=TriggerKind.ANALYST, actor=actor, reason=question, item_ids=items)
            steps = list(self.stream(trigger=trigger))
            answer = self._answer("run status", steps[-1].run_id).model_copy(
                update={"steps": tuple(step.title for step in steps)}
            )
        else:
            answer = self._answer(question, None)
        operations.add_message(conversation, "assistant", answer.text, answer.model_dump(mode="json"))
        return answer

    def _items(self) -> Sequence[str]:
        version = self._parts.warehouse.active_version()
        return tuple(self._parts.context.desk.dataset(version).items) if version else ()

    def _answer(self, question: str, run_id: str | None) -> AnswerView:
        found = self._parts.operations.runs(1)
        view = self.plan(run_id) if run_id or found else None
        waiting = [approval for approval in self.pending() if view and approval.run_id == view.run.run_id]
        facts = queries.facts_of(view, waiting) if view else ()
        answer = self._parts.context.agents.analyst.answer(question, AnalystBrief(facts=facts))
        return AnswerView(
            text=answer.text,
            sources=answer.sources,
            run_id=view.run.run_id if view else None,
            decided_by=answer.decided_by,
        )

    def messages(self, conversation: str = "main") -> Sequence[Mapping[str, object]]:
        """The stored conversation, oldest first."""
        return [asdict(message) for message in self._parts.operations.messages(conversation)]

    def replay(self, run_id: str) -> Mapping[str, object]:
        """Recompute the plan of a run from its versions and compare it bit for bit."""
        values = self._state(run_id).values
        if "choice" not in values:
            raise NotFound(f"Run {run_id} made no plan.", remedy="Replay a run that reached its plan.", run_id=run_id)
        stored = self._parts.warehouse.artifact(run_id, "plan", "choice") or {}
        scope: Scope = scope_of(values)
        fresh = type(self._parts.context.desk)(
            self._parts.warehouse, int(values["versions"]["seed"]), self._parts.settings.horizon_periods
        )
        plan = fresh.plan(scope, values["choice"]["choices"])
        replayed = orjson.loads(orjson.dumps(records.plan_hash_parts(plan)))
        return {
            "identical": replayed == stored.get("plan_hash"),
            "stored": stable_hash(stored.get("plan_hash")),
            "replayed": stable_hash(replayed),
        }

    def rollback(self, point_id: str, actor: str) -> Mapping[str, object]:
        """Make an earlier dataset version active again."""
        before = self._parts.warehouse.active_version()
        self._parts.warehouse.activate(point_id)
        return {"active": point_id, "before": before or "", "by": actor}

    def journal(self, run_id: str | None = None) -> Sequence[TransitionView]:
        """Transitions in order."""
        return [
            TransitionView(
                seq=row.seq,
                run_id=row.run_id,
                node=row.node,
                attempt=row.attempt,
                step=row.body["step"],
                event=row.event,
                status=row.status,
                started_at=datetime.fromisoformat(row.body["started_at"]),
                ended_at=datetime.fromisoformat(row.body["ended_at"]),
                actor=row.body["actor"],
                payload=dict(row.body["payload"]),
                hash=row.hash,
            )
            for row in self._parts.journal.transitions(run_id)
        ]

    def verify_journal(self) -> JournalCheckView:
        """Check the hash chain and its completeness."""
        check = self._parts.journal.verify()
        lag = self._parts.journal.lag()
        return JournalCheckView(
            ok=check.ok, rows=check.rows, reason=check.reason or "", head_hash=check.head_hash, lag_rows=lag.rows
        )

    def receive_alert(self, message_id: str, event: Mapping[str, object], source: str) -> Mapping[str, object]:
        """Store an alert once and replan what it affects."""
        if not self._parts.operations.receive(message_id, "alert", event, source):
            raise Conflict(f"Message {message_id} was received before.", remedy="Nothing is left to do.")
        alert = queries.alert_of(event, message_id, source, self._parts.context.now())
        trigger = Trigger(
            kind=TriggerKind.ALERT,
            actor=f"alert:{source}",
            reason=f"{alert.kind.value} at {alert.node_id}",
            alerts=(alert.model_dump(mode="json"),),
        )
        run_id = self.start(trigger)
        self._parts.operations.finish_inbox(message_id, run_id)
        return {"accepted": True, "run_id": run_id}

    def observe(self, advance_days: int = 0) -> Mapping[str, object]:
        """Read confirmations and receipts back from the ERP into a new dataset version."""
        erp, warehouse = self._parts.erp, self._parts.warehouse
        version = warehouse.active_version()
        if version is None:
            raise NotFound("Nothing has been imported yet.", remedy="Run `jit import FOLDER` or `jit demo` first.")
        erp.advance(advance_days)
        receipts = list(erp.iter_receipts(None))
        made = warehouse.derive_dataset(
            version,
            receipts=receipts,
            open_orders=list(erp.iter_open_orders()),
            on_hand={(item, site): units for item, site, units in erp.iter_stock()},
            as_of=erp.today,
            note="sandbox ERP",
        )
        return {"version": made, "parent": version, "receipts": len(receipts), "clock": erp.today.isoformat()}

    def halt(self, actor: str, on: bool = True) -> Mapping[str, object]:
        """Stop, or allow again, every dispatch."""
        self._parts.operations.set_flag("halted", actor if on else "")
        if not on:
            self._parts.context.outbox.drain()
        return {"halted": on, "by": actor}

    def status(self) -> Mapping[str, object]:
        """Active dataset, policy version, model, journal lag, ERP health, halted."""
        lag = self._parts.journal.lag()
        return {
            "dataset": self._parts.warehouse.active_version() or "none",
            "policy": self._parts.context.rules.version,
            "model": self._parts.settings.llm_model or "rules",
            "journal_lag_rows": lag.rows,
            "erp": self._parts.erp.health(),
            "halted": bool(self._parts.operations.flag("halted")),
        }


def open_session(settings: Settings) -> LocalSession:
    """Open the session of a home. OutOfReach when another process owns its warehouse."""
    return LocalSession(open_parts(settings))
