"""What an earlier run knew beside what is known now."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from graph.computation.desk import Scope
from graph.context import Context
from graph.facts.records import stored_scope
from tools.domain.datasets import Dataset
from tools.domain.errors import NotFound
from tools.domain.orders import ItemSite


@dataclass(frozen=True)
class Knowledge:
    """What an earlier run knew beside what is known now, apart from what was ordered since."""

    then: Dataset | None
    """None where the run planned under other rules or settings, or nothing is kept of it."""
    now: Dataset
    affected: Collection[str]
    """Items that alerts are about which only one of the two knew."""

    @classmethod
    def of(
        cls, before: str, run_id: str, scope: Scope, context: Context, versions: Sequence[str] = ("policy", "desk")
    ) -> "Knowledge":
        """What the run `before` knew; `scope` has the dataset and the alerts that the run of now knows.

        Nothing is told of a run of which one of the `versions` is another.
        """
        desk, now = context.desk, context.desk.dataset(scope.dataset_version)
        mine, theirs = (context.operations.run(run).versions for run in (run_id, before))
        if any(mine.get(name) != theirs.get(name) for name in versions):
            return cls(None, now, ())
        try:
            made_for = stored_scope(before, context.warehouse)
            then = desk.dataset(made_for.dataset_version)
        except NotFound:
            return cls(None, now, ())
        told, known = ({alert.alert_id: alert for alert in one.typed_alerts} for one in (scope, made_for))
        alerts = [alert for name, alert in {**told, **known}.items() if name not in told or name not in known]
        return cls(then, now, desk.disruption(scope.told_only(alerts)).affected_item_ids if alerts else ())

    def anything_new_of(self, place: ItemSite) -> bool:
        """Whether something is known of a need that the earlier run did not know."""
        if self.then is None or place[0] in self.affected:
            return True
        return self.then is not self.now and _seen(self.then, place) != _seen(self.now, place)

    @cached_property
    def _met(self) -> frozenset[str]:
        """Suppliers of which goods came, or are told of, that the earlier run did not know."""
        if self.then is None or self.then is self.now:
            return frozenset()
        before, now = (Counter(receipt.supplier_id for receipt in known.receipts) for known in (self.then, self.now))
        return frozenset(name for name in before.keys() | now.keys() if before[name] != now[name])

    def met_suppliers_of(self, item_id: str) -> bool:
        """Whether the lead times of a supplier of the item may be others by what came since."""
        return any(offer.supplier_id in self._met for offer in self.now.offers_by_item.get(item_id, ()))


def _seen(dataset: Dataset, place: ItemSite) -> tuple[object, ...]:
    """What a plan of a need rests on beside what is on order."""
    offers = [offer for offer in dataset.offers_by_item.get(place[0], ()) if offer.site_id == place[1]]
    history = dataset.demand.get(place)
    return (
        dataset.as_of,
        dataset.items.get(place[0]),
        dataset.on_hand.get(place),
        offers,
        [dataset.suppliers.get(offer.supplier_id) for offer in offers],
        None if history is None else (history.dates.tolist(), history.quantities.tolist()),
    )
