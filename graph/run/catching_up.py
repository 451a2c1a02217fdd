"""What waits goes on by itself: decisions that a run takes in together, and what a full disk or the ERP held up."""

import logging

from graph.parts import Parts
from graph.run.driver import RunDriver
from store.background import BackgroundWork
from tools.domain.errors import StorageOutOfReach

LOG = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 2.0


class CatchUp:
    """Looks every few seconds for what is owed, and does it."""

    def __init__(self, parts: Parts, driver: RunDriver) -> None:
        self._parts = parts
        self._driver = driver
        self._undrained = False
        self.worker = BackgroundWork("catch-up", self._work, LOOK_EVERY_SECONDS)
        """Goes on with what was held up."""

    def drain(self) -> None:
        """Send what is queued; what a database holds up is sent later, for it is stored already."""
        try:
            self._parts.context.outbox.drain()
        except StorageOutOfReach as error:
            LOG.warning("Queued actions leave later: %s", error)
            self._undrained = True

    def _work(self) -> bool:
        self._driver.catch_up()
        self._driver.deliver_together()
        if self._undrained or self._parts.operations.overdue_actions():
            self._parts.context.outbox.drain()
            self._undrained = False
        return False
