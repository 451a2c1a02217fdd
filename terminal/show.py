"""Views as tables and sentences on a terminal. Everything here only prints."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from graph.views import (
    AnswerView,
    ApprovalView,
    JournalCheckView,
    LineView,
    OptionView,
    PlanView,
    RunView,
    StepView,
    TransitionView,
    VerdictView,
)

console = Console()
SHOWN_LINES = 30


def show_steps(steps: Iterator[StepView]) -> list[StepView]:
    """Print each step as it ends, with a spinner for the one that runs."""
    done: list[StepView] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Sensing", total=None)
        for step in steps:
            done.append(step)
            mark = {"ok": "[green]✓[/]", "interrupted": "[yellow]…[/]"}.get(step.status, "[red]✗[/]")
            progress.console.print(f"{mark} [bold]{step.title}[/] [dim]{step.seconds:.2f} s[/]")
            for line in step.summary.splitlines():
                progress.console.print(Text(f"    {line}"))
            progress.update(task, description=f"after {step.title.lower()}")
    return done


def show_import(report: Mapping[str, Any]) -> None:
    """What was imported, and what was not."""
    table = Table(title=f"Dataset {report.get('version')}", title_justify="left")
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, count in dict(report.get("tables", {})).items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    for warning in report.get("warnings", ()):
        console.print(f"[yellow]note[/] {warning}")
    for name, columns in dict(report.get("unknown_columns", {})).items():
        console.print(f"[yellow]note[/] {name}: kept aside unknown columns {', '.join(columns)}")


def show_plan(view: PlanView) -> None:
    """A run: options with the choice, lines, verdicts, and what waits."""
    run = view.run
    if view.options:
        console.print(_options(view.options, run.currency))
    if view.lines:
        console.print(_lines(view.lines))
    else:
        console.print("No order is due: every item's inventory position covers its lead time.")
    fired = [verdict for verdict in view.verdicts if verdict.effect in ("deny", "require_approval", "warn")]
    if fired:
        console.print(_verdicts(fired))
    for conflict in view.conflicts:
        console.print(f"[yellow]conflict[/] {conflict}")
    if view.expected_cost:
        console.print(
            f"Expected cost {view.expected_cost:,.0f} {run.currency} over the horizon, proven bound "
            f"{view.lower_bound:,.0f} (gap {view.expected_cost / max(view.lower_bound, 1e-9) - 1:.1%})."
        )
    console.print(
        f"Run [bold]{run.run_id}[/] {run.status.value}: {run.n_lines} lines worth {run.order_value:,.0f} "
        f"{run.currency}, {run.dispatched} orders dispatched, {run.pending_approvals} wait for approval."
    )


def _options(options: Sequence[OptionView], currency: str) -> Table:
    table = Table(title=f"Options ({currency})", title_justify="left")
    for name in ("group", "option"):
        table.add_column(name)
    for name in ("order now", "expected cost", "fill rate", "stock-out", "at risk"):
        table.add_column(name, justify="right")
    table.add_column("chosen because")
    for option in options:
        table.add_row(
            option.group,
            option.title,
            f"{option.order_value:,.0f}",
            f"{option.expected_cost:,.0f}",
            f"{option.fill_rate:.1%}",
            f"{option.stockout_probability:.0%}",
            f"{option.risk_exposure:,.0f}",
            option.reason if option.chosen else "",
            style="bold" if option.chosen else "dim",
        )
    return table


def _lines(lines: Sequence[LineView]) -> Table:
    table = Table(title="Order lines", title_justify="left")
    for name in ("line", "item", "supplier", "intent"):
        table.add_column(name)
    for name in ("quantity", "value"):
        table.add_column(name, justify="right")
    for name in ("arrives", "status", "why"):
        table.add_column(name)
    for line in lines[:SHOWN_LINES]:
        table.add_row(
            line.line_id,
            line.item_id,
            line.supplier,
            line.intent,
            f"{line.quantity:,.0f}",
            f"{line.value:,.0f}",
            line.expected_arrival,
            line.status,
            line.formula,
        )
    if len(lines) > SHOWN_LINES:
        table.caption = f"and {len(lines) - SHOWN_LINES} more: jit show --json"
    return table


def _verdicts(verdicts: Sequence[VerdictView]) -> Table:
    table = Table(title="Gates", title_justify="left")
    for name in ("gate", "rule", "subject", "effect", "reason"):
        table.add_column(name)
    colours = {"deny": "red", "require_approval": "yellow", "warn": "blue"}
    for verdict in verdicts[:SHOWN_LINES]:
        table.add_row(
            verdict.gate,
            verdict.rule,
            verdict.subject,
            Text(verdict.effect, style=colours.get(verdict.effect, "")),
            verdict.reason,
        )
    return table


def show_approvals(waiting: Sequence[ApprovalView]) -> None:
    """What waits for a person, and how to decide it."""
    if not waiting:
        console.print("Nothing waits for approval. `jit plan` starts a run.")
        return
    table = Table(title="Waiting for approval", title_justify="left")
    for name in ("approval", "supplier", "value", "tier", "proposed by", "why it waits"):
        table.add_column(name)
    for approval in waiting:
        table.add_row(
            approval.approval_id,
            approval.supplier,
            f"{approval.value:,.0f} {approval.currency}",
            approval.tier,
            ", ".join(approval.proposed_by),
            "; ".join(approval.reasons),
        )
    console.print(table)
    console.print(f"Decide with: jit decide {waiting[0].approval_id} approve --actor NAME")


def show_approval(approval: ApprovalView) -> None:
    """The outcome of a decision."""
    statuses = ", ".join(sorted({line.status for line in approval.lines})) or "no lines"
    console.print(
        f"{approval.approval_id} {approval.status} by {approval.decided_by}: {approval.supplier}, "
        f"{approval.value:,.0f} {approval.currency} ({statuses})."
    )


def show_runs(found: Sequence[RunView]) -> None:
    """The latest runs."""
    if not found:
        console.print("No run yet. `jit plan` starts one.")
        return
    table = Table()
    for name in ("run", "status", "trigger", "dataset", "started", "lines", "summary"):
        table.add_column(name)
    for run in found:
        table.add_row(
            run.run_id,
            run.status.value,
            f"{run.trigger.kind.value} by {run.trigger.actor}",
            run.dataset_version,
            f"{run.started_at:%Y-%m-%d %H:%M:%S}",
            str(run.n_lines),
            run.summary,
        )
    console.print(table)


def show_answer(answer: AnswerView) -> None:
    """An answer with its sources."""
    console.print(Text(answer.text))
    if answer.sources:
        console.print(Text("Sources: " + ", ".join(answer.sources), style="dim"))


def show_journal(rows: Sequence[TransitionView]) -> None:
    """The timeline of a run."""
    if not rows:
        console.print("The journal holds nothing for this run.")
        return
    table = Table(title=f"Journal of {rows[0].run_id}", title_justify="left")
    for name in ("seq", "at", "event", "node", "try", "status", "ms", "hash"):
        table.add_column(name)
    for row in rows:
        milliseconds = (row.ended_at - row.started_at).total_seconds() * 1000
        table.add_row(
            str(row.seq),
            f"{row.started_at:%H:%M:%S.%f}"[:-3],
            row.event,
            row.node,
            str(row.attempt),
            row.status,
            f"{milliseconds:,.0f}",
            row.hash[:12],
        )
    console.print(table)


def show_check(check: JournalCheckView) -> None:
    """Result of verifying the journal."""
    if check.ok:
        console.print(f"[green]✓[/] {check.rows} rows, chain intact, head {check.head_hash[:16]}.")
    else:
        console.print(f"[red]✗[/] The journal does not verify: {check.reason}")


def show_doctor(sources: Mapping[str, tuple[str, str]], status: Mapping[str, object]) -> None:
    """Settings with their source, and the state of each part."""
    table = Table(title="Settings", title_justify="left")
    for name in ("setting", "value", "from"):
        table.add_column(name)
    for name, (value, origin) in sources.items():
        table.add_row(name, value, origin)
    console.print(table)
    for name, value in status.items():
        console.print(f"{name}: {value}")


def show_next_steps() -> None:
    """Where to go after the demo."""
    console.print(
        Panel(
            "jit approvals           what waits for you\n"
            "jit decide ID approve --actor NAME\n"
            "jit explain ITEM        formula and figures behind a quantity\n"
            "jit journal --verify    the tamper-evident log",
            title="Next",
            expand=False,
        )
    )
