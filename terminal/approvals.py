"""What waits for a person: who must sign, what, why, and the command that decides it."""

from collections.abc import Sequence

from graph.views.orders import ApprovalView, EditPreviewView, WaitingView
from terminal.figures import amount, count, program, units
from terminal.screen import bullet, heading, say, say_whole, table
from tools.domain.names import may_be_taken_for

SIGNERS = {"buyer": "a buyer or manager", "manager": "a manager"}
SHOWN_LINES = 6
BRIEF = 5


def show_approvals(waiting: WaitingView, offset: int, me: str) -> None:
    """The waiting orders that are asked for as blocks, oldest first. `me` is who would decide by default."""
    if not waiting.total:
        say(f"Nothing waits for approval. `{program()} plan` starts a run.")
        return
    say(f"{count(waiting.total, 'order waits', 'orders wait')} for approval, oldest first.", "bold")
    if waiting.matching < waiting.total:
        say(f"{count(waiting.matching, 'of them has', 'of them have')} that in it.")
    for approval in waiting.orders:
        _block(approval, me)
    say()
    shown = offset + len(waiting.orders)
    if shown < waiting.matching:
        say(
            f"Showing {len(waiting.orders):,} of {waiting.matching:,}: `{program()} approvals --offset {shown}` goes "
            f"on, `--limit {waiting.matching}` lists all of them."
        )
    say(
        f"`{program()} decide ID reject --reason WHY` declines; `{program()} decide ID edit --edit ITEM=QUANTITY` "
        "changes a quantity, and then somebody else must sign."
    )


def _block(approval: ApprovalView, me: str) -> None:
    value = f"{amount(approval.value)} {approval.currency}"
    heading(f"{approval.approval_id}  {approval.supplier}  {value}  needs {who(approval)}")
    for line in approval.lines[:SHOWN_LINES]:
        bullet(
            f"{line.item_id} {line.item}: {line.intent} {units(line.quantity)} {line.uom}, {amount(line.value)} "
            f"{line.currency}, {'was due' if line.intent == 'cancel' else 'arrives'} {line.expected_arrival}"
        )
    if len(approval.lines) > SHOWN_LINES:
        bullet(f"and {count(len(approval.lines) - SHOWN_LINES, 'more line', 'more lines')}")
    for reason in approval.reasons:
        bullet(reason, "yellow", mark="!")
    say_whole(f"  {decide_command(approval, me)}", "cyan")


def who(approval: ApprovalView) -> str:
    """Who may sign: the tier, and nobody who proposed it."""
    people = [name for name in approval.proposed_by if not name.startswith("agent:") and not approval.own]
    signer = SIGNERS.get(approval.tier, f"a {approval.tier}")
    return f"{signer} other than {' or '.join(people)}" if people else signer


def decide_command(approval: ApprovalView, me: str) -> str:
    """The command that approves; with --actor when the one at the keyboard proposed it."""
    mine = not approval.own and any(may_be_taken_for(me, name) for name in approval.proposed_by)
    return f"{program()} decide {approval.approval_id} approve{' --actor NAME' if mine else ''}"


def show_waiting_in_short(waiting: Sequence[ApprovalView]) -> None:
    """The largest waiting orders as a table, and how to decide one."""
    ranked = sorted(waiting, key=lambda approval: -approval.value)
    names = ("approval", "supplier", "value", "lines", "needs")
    rows = [
        (a.approval_id, a.supplier, f"{amount(a.value)} {a.currency}", len(a.lines), who(a)) for a in ranked[:BRIEF]
    ]
    table(names, rows, right=("value", "lines"), fold="needs")
    if len(ranked) > BRIEF:
        say(f"and {len(ranked) - BRIEF} more: {program()} approvals", indent=2)


def show_preview(preview: EditPreviewView, approval: ApprovalView) -> None:
    """What an edit would make of an order; nothing is saved."""
    before = {line.line_id: line for line in approval.lines}
    for line in preview.lines:
        known = before[line.line_id]
        now = f"{units(line.quantity)} {known.uom} at {line.unit_price:,.2f}, {line.value:,.2f} {preview.currency}"
        was = f"was {units(known.quantity)} at {known.unit_price:,.2f}"
        bullet(f"{known.item_id} {known.item}: {now} ({was}). {line.price_rule}".strip())
    say(f"New value {preview.value:,.2f} {preview.currency}, was {approval.value:,.2f}. Nothing is saved.", "bold")


def show_approval(approval: ApprovalView) -> None:
    """The outcome of a decision."""
    withdrawn = any(line.status == "withdrawn" for line in approval.lines)
    outcome = "was taken back after it was approved" if withdrawn else approval.status
    say(
        f"{approval.approval_id} {outcome} by {approval.decided_by}: {approval.supplier}, "
        f"{amount(approval.value)} {approval.currency}, {count(len(approval.lines), 'line')}.",
        "bold",
    )
    if approval.reason:
        say(f"Reason: {approval.reason}")
    if withdrawn:
        say("The order is cancelled in the ERP, or never leaves.")
    elif approval.erp_status:
        say(f"ERP: {' '.join(filter(None, (approval.erp_status, approval.erp_reference, approval.erp_error)))}")
    say_whole(f"What became of the order: {program()} show {approval.run_id}", "dim")
