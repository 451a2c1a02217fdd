"""What stays of a run that is over: its routed orders, in the warehouse. Its checkpoints go."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from graph.parts import Parts
from store.faults import store_faults

LOG = logging.getLogger(__name__)
KIND, KEY = "plan", "routed"
RUNS_AT_A_TIME = 20
"""How many runs that an earlier version or a crash left are looked at in one go."""


class Routed(NamedTuple):
    """The items that a run planned and its orders as the gates routed them; no items before it got there."""

    item_ids: Sequence[str]
    orders: Sequence[Mapping[str, Any]]


class ClosedRuns:
    """Knows every run's orders: from its checkpoints while it can go on, from the warehouse afterwards.

    The orders are stored before the checkpoints go, and the saver deletes a run's checkpoints in one transaction:
    whatever dies in between, one of the two is there, and the next look at the leftovers ends the work.
    """

    def __init__(self, parts: Parts, values: Callable[[str], Mapping[str, Any]]) -> None:
        self._parts = parts
        self._values = values

    def routed(self, run_id: str) -> Routed:
        """The orders of a run, closed or not."""
        values = self._values(run_id)
        if not values:
            values = self._parts.warehouse.artifact(run_id, KIND, KEY) or {}
        return Routed(values["item_ids"], values["routed"]) if "routed" in values else Routed((), ())

    def forget_checkpoints(self, run_id: str | None = None) -> None:
        """Of one run if it is closed, or of those that were left; what fails now is tried again later."""
        try:
            closed = self._parts.operations.closed_runs_with_checkpoints(RUNS_AT_A_TIME, run_id)
            for each in closed:
                self._forget(each)
            if closed:
                self._parts.operations.reclaim()
        except store_faults() as error:
            LOG.warning("Checkpoints of closed runs stay for now: %s", error)

    def _forget(self, run_id: str) -> None:
        routed = self.routed(run_id)
        self._parts.warehouse.put_artifact(run_id, KIND, KEY, {"item_ids": routed.item_ids, "routed": routed.orders})
        self._parts.operations.pack_approvals(run_id)
        self._parts.checkpointer.delete_thread(run_id)
