"""What waits for a signature, a page at a time: totals are of all of it, and only the page becomes views."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import orjson

from graph.computation.estimate_desk import EstimateDesk
from graph.rules import rules_of
from graph.stores import Stores
from graph.views.orders import EXTRA_COST, ApprovalView, WaitingGroupView, WaitingView
from policies.approval import signs_own
from store.ledger.approvals import PendingText
from store.operations import ApprovalRow
from tools.domain.money import Money
from tools.domain.orders import Intent

LONGEST_PAGE = 500
Group = tuple[str, tuple[str, ...], bool, bool, str]
"""Tier, proposers, whether they may sign, whether it cancels, currency."""


@dataclass(frozen=True, slots=True)
class Waits:
    """An order that waits, as far as totals and the search need it; it never changes while it waits."""

    tier: str
    proposed_by: tuple[str, ...]
    supplier_id: str
    currency: str
    value: float
    value_cents: int
    cancels: bool
    extra: Mapping[tuple[str, str], float]
    """Run and item to the expected extra cost of ordering nothing of it."""
    words: str
    """Its id, items and supplier, for the search."""

    @classmethod
    def of(cls, approval_id: str, stored: PendingText) -> "Waits":
        """From what is stored of an approval."""
        order = orjson.loads(stored.order)
        lines, currency = order["lines"], order["currency"]
        extra = {(order["run_id"], line["item_id"]): line["figures"].get(EXTRA_COST) for line in lines}
        named = (f"{line['item_id']} {line['item']}" for line in lines)
        return cls(
            tier=stored.tier,
            proposed_by=stored.proposed_by,
            supplier_id=order["supplier_id"],
            currency=currency,
            value=sum(line["value"] for line in lines),
            value_cents=sum(Money.of(line["value"], currency).minor for line in lines),
            cancels=all(line["intent"] == Intent.CANCEL for line in lines),
            extra={key: value for key, value in extra.items() if value is not None},
            words=" ".join([approval_id, order["supplier_id"], *named]).casefold(),
        )


class WaitingDesk:
    """Reads pages of what waits; `views` makes views of approvals. Safe across threads."""

    def __init__(
        self, stores: Stores, desk: EstimateDesk, views: Callable[[Sequence[ApprovalRow]], list[ApprovalView]]
    ) -> None:
        self._stores = stores
        self._desk = desk
        self._views = views
        self._lock = Lock()
        self._known: dict[str, Waits] = {}

    def waiting(self, limit: int, offset: int, search: str) -> WaitingView:
        """Totals of everything that waits, and one page of what the search finds, oldest first."""
        waits = self._all()
        found = list(waits) if not search.strip() else self._found(waits, search)
        start = max(0, offset)
        page = found[start : start + max(0, min(limit, LONGEST_PAGE))]
        return WaitingView(
            total=len(waits),
            matching=len(found),
            groups=self._groups(waits.values()),
            left_alone=_left_alone(waits.values()),
            orders=tuple(self._orders(page)),
        )

    def _all(self) -> dict[str, Waits]:
        """What waits by approval, oldest first; what was stored of each is read once."""
        operations = self._stores.operations
        ids = operations.pending_ids()
        with self._lock:
            fresh = operations.pending_payloads([one for one in ids if one not in self._known])
            known = self._known | {one: Waits.of(one, stored) for one, stored in fresh.items()}
            self._known = {one: known[one] for one in ids}
            return self._known

    def _found(self, waits: Mapping[str, Waits], search: str) -> list[str]:
        wanted = search.strip().casefold()
        version = self._stores.warehouse.active_version()
        suppliers = self._desk.catalogue(version, ()).suppliers if version else {}
        named = {known.supplier_id for known in suppliers.values() if wanted in known.name.casefold()}
        return [one for one, made in waits.items() if wanted in made.words or made.supplier_id in named]

    def _groups(self, waits: Collection[Waits]) -> tuple[WaitingGroupView, ...]:
        one_person = self._stores.operations.of_one_person()
        rules = rules_of(self._stores.settings) if one_person else None
        found: dict[Group, list[float]] = {}
        for made in waits:
            own = rules is not None and signs_own(made.value_cents, rules)
            key = (made.tier, made.proposed_by, own, made.cancels, made.currency)
            found.setdefault(key, []).append(made.value)
        return tuple(
            WaitingGroupView(
                tier=tier,
                proposed_by=proposed_by,
                own=own,
                cancels=cancels,
                currency=currency,
                orders=len(values),
                value=sum(values),
            )
            for (tier, proposed_by, own, cancels, currency), values in found.items()
        )

    def _orders(self, approval_ids: Sequence[str]) -> list[ApprovalView]:
        """Views of these, each line with how long stock covers: what it says itself, else its run's outlook."""
        rows = self._stores.operations.approvals_named(approval_ids)
        shown = [rows[one] for one in approval_ids if one in rows]
        keys = {row.approval_id: [f"{line.item_id}@{row.order.site_id}" for line in row.order.lines] for row in shown}
        names = {(row.run_id, key) for row in shown for key in keys[row.approval_id]}
        outlooks = self._stores.warehouse.artifacts_named(names, "outlook")
        covers = {name: float(raw["days_of_cover"]) for name, raw in outlooks.items()}
        return [
            view.model_copy(
                update={
                    "lines": tuple(
                        line
                        if line.days_of_cover is not None
                        else line.model_copy(update={"days_of_cover": covers.get((view.run_id, key))})
                        for line, key in zip(view.lines, keys[view.approval_id], strict=True)
                    )
                }
            )
            for view in self._views(shown)
        ]


def _left_alone(waits: Collection[Waits]) -> dict[str, float]:
    """By currency; each item of a run counts once, though several orders may serve it."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for made in waits:
        if not made.cancels and made.extra:
            found.setdefault(made.currency, {}).update(made.extra)
    return {currency: sum(extra.values()) for currency, extra in found.items()}
