"""A run on the screen: options and choice, order lines, gates, what the cost bound means, what waits."""

from collections.abc import Sequence

from rich.text import Text

from graph.views.plans import ChangeView, OptionView, PlanPartView, PlanView, WholePlanView
from graph.views.runs import RunView, TriggerKind
from terminal.figures import amount, count, moment, program, share
from terminal.gates import show_gates
from terminal.lines import show_lines
from terminal.screen import bullet, clean, heading, say, say_whole, table

CHANGES_SHOWN = 12
PARTS_SHOWN = 5
TIGHT = 0.0005
"""Below this relative distance the plan equals its bound to the digits shown."""


def show_plan(view: PlanView, *, everything: bool = False) -> None:
    """A run, or the current plan of every item: options with the choice, lines, gates, and what waits."""
    run, currency = view.run, _currency(view)
    if view.whole:
        show_parts(view.whole, run)
    for run_id, options in _by_run(view.options).items():
        show_options(options, currency, _of_run(view, run_id))
    if view.lines:
        more = f"{program()} show{'' if view.whole else f' {run.run_id}'} --all"
        show_lines(view.lines, currency, everything=everything, more=more)
    elif view.whole or run.status.value not in ("stopped", "failed"):
        heading("No order is due: every item's inventory position covers its lead time.")
    show_changes(view.changes)
    show_gates((*view.quality, *view.verdicts))
    for conflict in view.conflicts:
        bullet(f"conflict: {conflict}", "yellow")
    say()
    if view.expected_cost:
        say(bound_in_words(view, currency))
    if view.whole:
        say_whole(_totals(view.whole, currency), "bold")
    say_whole(_run_in_words(view), "bold" if view.whole is None else "dim")
    if run.status.value in ("stopped", "failed") and run.summary:
        say(run.summary, "red")
    if view.whole is None and (run.trigger.item_ids or run.trigger.kind is TriggerKind.ALERT):
        say(f"This is what the run planned itself; `{program()} show` has the plan of every item.", "dim")


def show_parts(whole: WholePlanView, latest: RunView) -> None:
    """Which runs make the current plan, what no run has planned, and whether the latest run counts."""
    heading(f"The current plan of {count(whole.items, 'item')}")
    for part in whole.parts[:PARTS_SHOWN]:
        bullet(part_in_words(part))
    if len(whole.parts) > PARTS_SHOWN:
        rest = whole.parts[PARTS_SHOWN:]
        bullet(f"{count(sum(len(part.item_ids) for part in rest), 'item')} by {count(len(rest), 'earlier run')}")
    if whole.undecided:
        some = ", ".join(whole.undecided[:PARTS_SHOWN])
        more = " and others" if len(whole.undecided) > PARTS_SHOWN else ""
        bullet(f"{count(len(whole.undecided), 'item')} without a plan yet: {some}{more}", "yellow")
    if latest.run_id not in {part.run_id for part in whole.parts}:
        bullet(f"{latest.run_id}, the run that began last, is {latest.status.value} and decides nothing here", "yellow")


def part_in_words(part: PlanPartView) -> str:
    """What a run decides of the current plan."""
    many = count(len(part.item_ids), "item")
    of = "" if len(part.item_ids) == part.planned else f" of the {part.planned} that it planned"
    reason = f", {part.trigger.reason}" if part.trigger.reason else ""
    return f"{many}{of} by {part.run_id}, {moment(part.started_at)} ({part.trigger.kind.value}{reason})"


def _by_run(options: Sequence[OptionView]) -> dict[str, list[OptionView]]:
    found: dict[str, list[OptionView]] = {}
    for option in options:
        found.setdefault(option.run_id, []).append(option)
    return found


def _of_run(view: PlanView, run_id: str) -> str:
    """Which run's, where several make the plan."""
    return f" of {run_id}" if view.whole and len(view.whole.parts) > 1 else ""


def _totals(whole: WholePlanView, currency: str) -> str:
    told = (
        f"Current plan: {count(whole.lines, 'line')} worth {amount(whole.order_value)} {currency}, "
        f"{count(whole.dispatched, 'order')} dispatched, {whole.pending_approvals} waiting for approval"
    )
    if whole.under_way:
        worth = f"worth {amount(whole.under_way_value)} {currency}"
        told += f"; beside it {count(whole.under_way, 'line')} of earlier plans {worth} on the way"
    return f"{told}."


def _run_in_words(view: PlanView) -> str:
    run = view.run
    return (
        f"Run {run.run_id} {run.status.value}: {count(run.n_lines, 'line')} worth {amount(run.order_value)} "
        f"{_currency(view)}, {count(run.dispatched, 'order')} dispatched, {run.pending_approvals} waiting for approval."
    )


def show_changes(changes: Sequence[ChangeView]) -> None:
    """What differs from the earlier plan of the same items, the first few lines in words."""
    if not changes:
        return
    heading(f"Against the plan before: {count(len(changes), 'line')} differ")
    for change in changes[:CHANGES_SHOWN]:
        bullet(change_in_words(change))
    if len(changes) > CHANGES_SHOWN:
        say(f"and {len(changes) - CHANGES_SHOWN} more: --json has them all.", "dim", indent=2)


def change_in_words(change: ChangeView) -> str:
    """One changed line in a sentence."""
    what = f"{change.item_id} from {change.supplier}"
    if change.before_quantity == 0:
        return f"{what}: {amount(change.after_quantity)} {change.uom}, new"
    if change.after_quantity == 0:
        return f"{what}: no longer proposed (was {amount(change.before_quantity)} {change.uom})"
    return f"{what}: {amount(change.after_quantity)} {change.uom} instead of {amount(change.before_quantity)}"


def _currency(view: PlanView) -> str:
    return view.currency or next((line.currency for line in view.lines), "")


def show_options(options: Sequence[OptionView], currency: str, of_run: str = "") -> None:
    """The computed alternatives of each group, the chosen one marked, its reason under the table."""
    heading(f"Options{of_run} ({currency})")
    rows: list[list[Text]] = []
    last = ""
    for option in options:
        cells = (
            option.group if option.group != last else "",
            f"{'▸' if option.chosen else ' '} {profile(option)}",
            amount(option.order_value),
            amount(option.expected_cost),
            share(option.fill_rate),
            share(option.stockout_probability, 0),
            amount(option.risk_exposure),
            str(len(option.suppliers)),
        )
        rows.append([Text(clean(cell), style="bold" if option.chosen else "") for cell in cells])
        last = option.group
    names = ("group", "  option", "order now", "expected cost", "fill rate", "worst stock-out", "at risk", "suppliers")
    table(names, rows, right=names[2:])
    for option in options:
        if option.chosen:
            bullet(f"Group {option.group}, {profile(option)}: {option.reason}")
    titles = dict.fromkeys(f"{profile(option)}: {option.title}" for option in options)
    say("; ".join(titles) + ". Worst stock-out: the item of the group that is most likely to run out.", "dim", indent=2)


def profile(option: OptionView) -> str:
    """An option's stance in short: `A/service_first` is service first."""
    return option.option_id.rpartition("/")[2].replace("_", " ")


def bound_in_words(view: PlanView, currency: str) -> str:
    """What the lower bound proves: that no other choice among the priced candidate orders is cheaper."""
    cost, bound = view.expected_cost, view.lower_bound
    latest = view.whole.latest if view.whole else None
    of = f" of the {count(latest.planned, 'item')} that {latest.run_id} planned" if latest else ""
    told = f"Expected cost{of} over the horizon {amount(cost)} {currency}."
    if bound <= 0:
        return told
    scope = "Orders that were not priced as candidates are outside this comparison."
    if cost / bound - 1 < TIGHT:
        return f"{told} No other choice among the priced candidate orders costs less within the shared limits. {scope}"
    return (
        f"{told} No choice among the priced candidate orders can cost less than {amount(bound)} {currency} within the "
        f"shared limits (linear relaxation); this plan is {share(cost / bound - 1)} above that. {scope}"
    )
