"""Reports: imports and their rejects, runs, answers, the state of an installation, and plain results."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from graph.views.installation import DatasetView, PartView, RejectView
from graph.views.plans import AnswerView, PlanView
from graph.views.runs import RunView
from terminal.figures import amount, count, moment, program
from terminal.lines import explain_line, explain_outlook
from terminal.screen import bullet, heading, pairs, say, say_whole, table
from tools.domain.errors import NotFound

SHOWN_REJECTS = 10
EXAMPLES = 5


def show_import(report: Mapping[str, object]) -> None:
    """What was imported, and what was not."""
    rows = report.get("tables")
    counts = {str(name): int(size) for name, size in rows.items()} if isinstance(rows, Mapping) else {}
    filled = ", ".join(f"{name.replace('_', ' ')} {size:,}" for name, size in counts.items() if size)
    say(f"Dataset {report.get('version')}, clock {report.get('as_of')}, {report.get('currency')}", "bold")
    say(f"Rows: {filled}.", indent=2)
    for found in _texts(report.get("demand")):
        say(found, indent=2)
    for warning in _texts(report.get("warnings")):
        bullet(warning, "yellow")
    unknown = report.get("unknown_columns")
    for name, columns in dict(unknown if isinstance(unknown, Mapping) else {}).items():
        bullet(f"{name}: columns outside the schema were kept aside: {', '.join(_texts(columns))}", "yellow")
    rejected = report.get("rejected")
    show_rejects([RejectView.model_validate(row) for row in rejected] if isinstance(rejected, Sequence) else [])


def _texts(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, Iterable) and not isinstance(value, str) else []


def show_rejects(rejects: Sequence[RejectView], *, everything: bool = False) -> bool:
    """Rejected rows by file: row, column, what is wrong, what was expected, the remedy. Tells whether there are any."""
    if not rejects:
        return False
    shown = rejects if everything else rejects[:SHOWN_REJECTS]
    heading(f"{count(len(rejects), 'rejected row')} in {count(len({row.file for row in rejects}), 'file')}")
    for file, found in groupby(shown, key=lambda row: row.file):
        say(file, "bold")
        for row in found:
            place = f"row {row.row}{f', {row.column}' if row.column else ''}"
            bullet(f"{place}: {row.reason}; expected {row.expected}. {row.remedy}")
    if len(shown) < len(rejects):
        say_whole(f"{len(rejects) - len(shown)} more: {program()} rejects {rejects[0].import_id}")
    return True


def show_runs(found: Sequence[RunView]) -> None:
    """The latest runs."""
    if not found:
        say(f"No run yet. `{program()} plan` starts one.")
        return
    names = ("run", "status", "trigger", "started", "lines", "value", "waiting", "sent")
    rows = [
        (
            run.run_id,
            run.status.value,
            _started_by(run),
            moment(run.started_at),
            run.n_lines,
            f"{amount(run.order_value)} {run.currency}".strip(),
            run.pending_approvals,
            run.dispatched,
        )
        for run in found
    ]
    table(names, rows, right=names[4:], fold="trigger")


def show_datasets(found: Sequence[DatasetView]) -> None:
    """Dataset versions."""
    if not found:
        say(f"Nothing has been imported yet. `{program()} import FOLDER` does.")
        return
    names = ("version", "active", "clock", "made", "rows", "from", "parent")
    rows = [
        (
            known.version,
            "yes" if known.active else "",
            f"{known.as_of}",
            moment(known.created_at),
            f"{known.rows:,}",
            known.source,
            known.parent or "",
        )
        for known in found
    ]
    table(names, rows, right=("rows",), fold="from")


def _started_by(run: RunView) -> str:
    kind, actor = run.trigger.kind.value, run.trigger.actor
    return actor if actor.startswith(kind) else f"{kind} by {actor}"


def show_answer(answer: AnswerView) -> None:
    """An answer, a fact a paragraph, with the facts it rests on."""
    paragraphs = [line for line in answer.text.splitlines() if line.strip()]
    for paragraph in paragraphs:
        if len(paragraphs) > 1:
            bullet(paragraph)
        else:
            say(paragraph)
    for step in answer.steps:
        bullet(step, "dim", mark="✓")
    if answer.sources:
        say("Sources: " + ", ".join(answer.sources), "dim")


def show_explanation(view: PlanView, name: str, answer: AnswerView) -> None:
    """Everything computed about an item, a supplier or a line; the answer in words for other subjects."""
    wanted = name.casefold()
    lines = [
        line
        for line in view.lines
        if wanted in (part.casefold() for part in (line.item_id, line.supplier_id, line.supplier, line.line_id))
    ]
    outlooks = [outlook for outlook in view.outlooks if outlook.item_id.casefold() == wanted]
    if not lines and not outlooks:
        show_answer(answer)
        return
    for line in lines:
        explain_line(line)
    for outlook in outlooks:
        explain_outlook(outlook)
    risks = [risk for risk in view.risks if wanted in (part.casefold() for part in (risk.node_id, *risk.item_ids))]
    if risks:
        heading("Risks")
    for risk in risks:
        bullet(f"{risk.summary} {risk.hedge}")


def check_known(view: PlanView, name: str) -> None:
    """NotFound when the run holds no item, supplier, line, risk, rule, option or approval of this name."""
    wanted = name.casefold()
    known = {part.casefold() for risk in view.risks for part in (risk.node_id, *risk.item_ids)}
    known |= {
        part.casefold() for one in view.lines for part in (one.item_id, one.supplier_id, one.supplier, one.line_id)
    }
    known |= {outlook.item_id.casefold() for outlook in view.outlooks}
    known |= {verdict.rule.casefold() for verdict in (*view.verdicts, *view.quality)}
    known |= {part.casefold() for option in view.options for part in (option.option_id, option.group)}
    known |= {supplier.casefold() for option in view.options for supplier in option.suppliers}
    if wanted not in known and not wanted.startswith("ap-"):
        examples = ", ".join(outlook.item_id for outlook in view.outlooks[:EXAMPLES])
        raise NotFound(
            f"{'The current plan' if view.whole else f'Run {view.run.run_id}'} holds nothing named {wanted!r}.",
            remedy=f"Name an item (for example {examples}), a supplier, a line, an option or a rule.",
        )


def show_result(result: Mapping[str, object]) -> None:
    """A plain result as names and values; lists of records as tables under them."""
    tables = {name: found for name, value in result.items() if (found := _records(value))}
    pairs((name.replace("_", " "), _value(value)) for name, value in result.items() if name not in tables)
    for name, found in tables.items():
        heading(name.replace("_", " "))
        columns = list(dict.fromkeys(column for row in found for column in row))
        table(
            [column.replace("_", " ") for column in columns], [[_value(row.get(c)) for c in columns] for row in found]
        )


def _records(value: object) -> list[Mapping[str, object]]:
    """The records of a list of nothing but records."""
    parts: list[object] = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    records: list[Mapping[str, object]] = [
        {str(name): part for name, part in row.items()} for row in parts if isinstance(row, Mapping)
    ]
    return records if len(records) == len(parts) else []


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_value(part)}" for name, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_value(part) for part in value) or "none"
    return "none" if value in ("", None) else str(value)


def show_doctor(sources: Mapping[str, tuple[str, str]], parts: Sequence[PartView]) -> None:
    """Settings with their source, and whether each part answers."""
    say("Settings", "bold")
    table(("setting", "value", "from"), [(name, *told) for name, told in sources.items()], fold="value")
    heading("Parts")
    rows = [(part.part, "answers" if part.ok else "FAILS", part.detail) for part in parts]
    table(("part", "", "what it says"), rows, fold="what it says")
