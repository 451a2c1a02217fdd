"""A run on the screen: options and choice, order lines, gates, what the cost bound means, what waits."""

from collections.abc import Sequence

from rich.text import Text

from graph.views import ChangeView, OptionView, PlanView
from terminal.figures import amount, count, program, share
from terminal.gates import show_gates
from terminal.lines import show_lines
from terminal.screen import bullet, clean, heading, say, say_whole, table

CHANGES_SHOWN = 12
TIGHT = 0.0005
"""Below this relative distance the plan equals its bound to the digits shown."""


def show_plan(view: PlanView, *, everything: bool = False) -> None:
    """A run: options with the choice, lines, gates, and what waits."""
    run, currency = view.run, _currency(view)
    if view.options:
        show_options(view.options, currency)
    if view.lines:
        show_lines(view.lines, currency, everything=everything, more=f"{program()} show {run.run_id} --all")
    elif run.status.value not in ("stopped", "failed"):
        heading("No order is due: every item's inventory position covers its lead time.")
    show_changes(view.changes)
    show_gates((*view.quality, *view.verdicts))
    for conflict in view.conflicts:
        bullet(f"conflict: {conflict}", "yellow")
    say()
    if view.expected_cost:
        say(bound_in_words(view, currency))
    say_whole(
        f"Run {run.run_id} {run.status.value}: {count(run.n_lines, 'line')} worth {amount(run.order_value)} "
        f"{currency}, {count(run.dispatched, 'order')} dispatched, {run.pending_approvals} waiting for approval.",
        "bold",
    )
    if run.status.value in ("stopped", "failed") and run.summary:
        say(run.summary, "red")


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
    return view.run.currency or next((line.currency for line in view.lines), "")


def show_options(options: Sequence[OptionView], currency: str) -> None:
    """The computed alternatives of each group, the chosen one marked, its reason under the table."""
    heading(f"Options ({currency})")
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
    told = f"Expected cost over the horizon {amount(cost)} {currency}."
    if bound <= 0:
        return told
    scope = "Orders that were not priced as candidates are outside this comparison."
    if cost / bound - 1 < TIGHT:
        return f"{told} No other choice among the priced candidate orders costs less within the shared limits. {scope}"
    return (
        f"{told} No choice among the priced candidate orders can cost less than {amount(bound)} {currency} within the "
        f"shared limits (linear relaxation); this plan is {share(cost / bound - 1)} above that. {scope}"
    )
