"""The demo on one screen: what needs a decision and why, what was found, and what to type next."""

from collections.abc import Sequence

from graph.views.orders import ApprovalView
from graph.views.plans import PlanView
from terminal.approvals import decide_command
from terminal.demo.matters import DecisionView, MatterView
from terminal.demo.tour import patterns, show_risks
from terminal.figures import amount, count, program, units
from terminal.screen import aligned, bullet, heading, say, say_whole, shorten

NEXT = (
    ("approvals", "all that wait, with reasons"),
    ("explain {item}", "the figures behind a quantity"),
    ("ask 'what is at risk?'", "an answer from stored facts"),
    ("show", "the whole plan"),
    ("serve", "the same in the browser"),
)
NAME = 28
"""Letters of a name from data, so that an order keeps to its lines."""
INDENT = 5
SENT = ("dispatched", "confirmed")


def show_first_page(
    view: PlanView, waiting: Sequence[ApprovalView], decision: DecisionView, me: str, seconds: float
) -> None:
    """At most 50 lines from 80 columns on, led by what needs a decision."""
    if decision.first:
        money = f"{amount(decision.value)} {decision.currency}"
        say(f"{count(decision.orders, 'order waits', 'orders wait')} for your decision, worth {money}.", "bold")
        say("Most is at stake in these, by what not ordering is expected to cost or what a cancellation frees:")
    else:
        say("No order waits for a decision.", "bold")
    for place, matter in enumerate(decision.first, 1):
        _show(place, matter)
    _sent(view)
    heading("What was found")
    bullet(patterns(view))
    show_risks(view)
    heading("What to type next")
    _next(waiting, decision, me)
    say(f"Demo finished in {seconds:.1f} s; `{program()} demo --full` shows every step.", "bold")


def _show(place: int, matter: MatterView) -> None:
    money = f"{amount(matter.value)} {matter.currency}"
    what = f"{units(matter.quantity)} {matter.uom} of {matter.item_id} {shorten(matter.item, NAME)}"
    more = f" and {count(matter.lines - 1, 'more line')}" if matter.lines > 1 else ""
    bullet(f"{shorten(matter.supplier, NAME)}, {money}: {matter.intent} {what}{more}", "bold", mark=f"{place}.")
    stake = "Cancelling frees" if matter.intent == "cancel" else "Not ordering is expected to cost"
    say(f"{matter.reason} {stake} {amount(matter.at_stake)} {matter.currency}.", indent=INDENT)
    say(f"{matter.approval_id} needs {matter.signer}.", "dim", indent=INDENT)


def _sent(view: PlanView) -> None:
    value = sum(line.value for line in view.lines if line.status in SENT)
    if view.run.dispatched:
        told = f"{count(view.run.dispatched, 'order')} worth {amount(value)} {view.run.currency} left by themselves"
        say(f"{told}, within the limits of the policy.")


def _next(waiting: Sequence[ApprovalView], decision: DecisionView, me: str) -> None:
    rows: list[tuple[str, str]] = []
    if decision.first:
        first = decision.first[0]
        approval = next(one for one in waiting if one.approval_id == first.approval_id)
        rows = [(decide_command(approval, me), "sign the first")]
    item = decision.first[0].item_id if decision.first else ""
    rows += [(f"{program()} {command.format(item=item)}".rstrip(), what) for command, what in NEXT]
    for line in aligned(rows):
        say_whole(f"  {line}")
