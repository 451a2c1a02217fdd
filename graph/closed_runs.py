"""What stays of a run that is over: its routed orders, in the warehouse. Its checkpoints go."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from graph.parts import Parts
from graph.reading import ROUTED, Routed
from store.faults import store_faults

LOG = logging.getLogger(__name__)
RUNS_AT_A_TIME = 20
"""How many runs that an earlier version or a crash left are looked at in one go."""


class ClosedRuns:
    """Knows every run's orders: from its checkpoints while it can go on, from the warehouse afterwards.

    The orders are stored before the checkpoints go, and the saver deletes a run's checkpoints in one transaction:
    whatever dies in between, one of the two is there, and the next look at the leftovers ends the work.
    """

    def __init__(self, parts: Parts, values: Callable[[str], Mapping[str, Any]]) -> None:
        self._parts = parts
        self._values = values

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
        """The orders were stored when the run's drive ended, unless an earlier version drove it."""
        if self._parts.warehouse.artifact(run_id, *ROUTED) is None:
            routed = Routed.of(self._values(run_id))
            self._parts.warehouse.put_artifact(run_id, *ROUTED, routed.as_record())
        self._parts.operations.pack_approvals(run_id)
        self._parts.checkpointer.delete_thread(run_id)
