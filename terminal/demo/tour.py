"""The end of the demo: what was found, what waits, what left, and where to go on."""

from collections import Counter
from collections.abc import Sequence

from graph.views.orders import ApprovalView
from graph.views.plans import PlanView
from terminal.approvals import decide_command, show_waiting_in_short
from terminal.figures import amount, count, program, share
from terminal.screen import bullet, heading, say, say_whole

TOP_RISKS = 3
TOURS = (
    ("approvals", "everything that waits, with its lines and reasons"),
    ("explain {item}", "formula and figures behind a quantity"),
    ("ask 'what is at risk?'", "an answer from the stored facts"),
    ("journal", "the timeline of this run; --verify checks its hash chain"),
    ("observe --advance-days 30", "let the sandbox ERP deliver, and learn from the receipts"),
)


def show_tour(view: PlanView, waiting: Sequence[ApprovalView], me: str, took_seconds: float) -> None:
    """What was found, what waits, what was dispatched, and how to go on."""
    _found(view)
    currency = view.run.currency
    heading(f"What waits: {count(len(waiting), 'order')} worth {amount(sum(a.value for a in waiting))} {currency}")
    show_waiting_in_short(waiting)
    _sent(view)
    heading("How to go on")
    say(f"Open the workbench: make serve (or {program()} serve), then follow the link that it prints.")
    if waiting:
        say("Approve from the terminal:")
        say_whole(f"  {decide_command(max(waiting, key=lambda one: one.value), me)}", "cyan")
    item = view.lines[0].item_id if view.lines else "ITEM"
    for command, what in TOURS:
        say_whole(f"  {program()} {command.format(item=item):<28}{what}")
    say()
    say(f"Demo finished in {took_seconds:.1f} s.", "bold")


def _found(view: PlanView) -> None:
    heading("What was found")
    bullet(patterns(view))
    if view.outlooks:
        fill = sum(outlook.fill_rate for outlook in view.outlooks) / len(view.outlooks)
        bullet(f"Expected fill rate under this plan: {share(fill)}, mean over the items.")
    show_risks(view)


def patterns(view: PlanView) -> str:
    """How many items were planned, by how their demand comes, and how many are about to run out."""
    found = Counter(outlook.demand_pattern for outlook in view.outlooks if outlook.demand_pattern)
    shapes = ", ".join(f"{number} {name}" for name, number in found.most_common())
    short = sum(outlook.stockout_probability > 0.5 for outlook in view.outlooks)
    return (
        f"{count(len(view.outlooks), 'item')} planned ({shapes}); {short} more likely than not to run out before an "
        f"order can arrive."
    )


def show_risks(view: PlanView) -> None:
    """The first risks on the supply network."""
    for risk in view.risks[:TOP_RISKS]:
        bullet(risk.summary)


def _sent(view: PlanView) -> None:
    sent = [line for line in view.lines if line.status in ("dispatched", "confirmed")]
    shadow = sum(line.status == "shadow" for line in view.lines)
    heading(f"What was dispatched to the sandbox ERP: {count(view.run.dispatched, 'order')}")
    for line in sent:
        bullet(f"{line.item_id} {line.item} from {line.supplier}, {amount(line.value)} {line.currency}, {line.status}")
    if shadow:
        bullet(f"{count(shadow, 'line')} in shadow mode: computed and logged, never sent.")
