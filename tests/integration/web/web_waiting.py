"""What waits in the session in memory, cut and counted."""

from collections.abc import Sequence
from itertools import groupby

from graph.views.orders import EXTRA_COST, ApprovalView, WaitingGroupView, WaitingView


def waiting_of(pending: Sequence[ApprovalView], limit: int, offset: int, search: str) -> WaitingView:
    """Totals over everything, and the page of what the search finds."""
    found = [one for one in pending if search.strip().casefold() in _words(one)]
    return WaitingView(
        total=len(pending),
        matching=len(found),
        groups=tuple(
            _group(list(alike), *key) for key, alike in groupby(sorted(pending, key=lambda one: str(_key(one))), _key)
        ),
        left_alone={
            one.currency: sum(line.figures.get(EXTRA_COST, 0.0) for other in pending for line in other.lines)
            for one in pending
            if any(EXTRA_COST in line.figures for line in one.lines)
        },
        orders=tuple(found[offset : offset + limit]),
    )


def _words(approval: ApprovalView) -> str:
    items = " ".join(f"{line.item_id} {line.item} {line.supplier_id}" for line in approval.lines)
    return f"{approval.approval_id} {approval.supplier} {items}".casefold()


def _key(approval: ApprovalView) -> tuple[str, tuple[str, ...], str]:
    return approval.tier, approval.proposed_by, approval.currency


def _group(alike: Sequence[ApprovalView], tier: str, proposed_by: tuple[str, ...], currency: str) -> WaitingGroupView:
    return WaitingGroupView(
        tier=tier,
        proposed_by=proposed_by,
        own=False,
        cancels=False,
        currency=currency,
        orders=len(alike),
        value=sum(one.value for one in alike),
    )
