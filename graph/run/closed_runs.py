"""What stays of a run that is over: its orders, in the ledger. Its checkpoints go."""

import logging

from graph.parts import Parts
from store.faults import store_faults

LOG = logging.getLogger(__name__)
RUNS_AT_A_TIME = 20
"""How many runs that an earlier version or a crash left are looked at in one go."""


class ClosedRuns:
    """A run's orders are in the ledger; its checkpoints are there only while it can go on.

    The saver deletes a run's checkpoints in one transaction; what fails is left for the next look.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

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
        self._parts.operations.pack_approvals(run_id)
        self._parts.checkpointer.delete_thread(run_id)
