"""Runs that people end while they compute: nothing of them is published, and the plan before stays current."""

from threading import Condition

from tools.domain.errors import Cancelled


class Cancels:
    """Which runs compute, and which of them were asked to end. Safe across threads."""

    def __init__(self) -> None:
        self._lock = Condition()
        self._computing: dict[str, str] = {}
        """Run to who asked it to end, in words; empty while nobody did."""

    def computing(self, run_id: str) -> None:
        """The run computes: it may be ended until it publishes. Raises Cancelled once somebody asked for it."""
        with self._lock:
            self._raise_if_asked(run_id)
            self._computing[run_id] = ""

    def publishing(self, run_id: str) -> None:
        """From here on the run is not ended any more. Raises Cancelled where somebody asked before."""
        with self._lock:
            self._raise_if_asked(run_id)
            self._computing.pop(run_id, None)

    def over(self, run_id: str) -> None:
        """The run ended, or waits."""
        with self._lock:
            self._computing.pop(run_id, None)
            self._lock.notify_all()

    def ask(self, run_id: str, said: str) -> bool:
        """Ask a run to end; whether it computes."""
        with self._lock:
            if run_id not in self._computing:
                return False
            self._computing[run_id] = self._computing[run_id] or said
            return True

    def until_over(self, run_id: str, seconds: float) -> None:
        """Wait until a run ended, so many seconds at most: a step ends between two of its parts."""
        with self._lock:
            self._lock.wait_for(lambda: run_id not in self._computing, seconds)

    @property
    def runs(self) -> list[str]:
        """Runs that compute, the latest first."""
        with self._lock:
            return list(reversed(self._computing))

    def _raise_if_asked(self, run_id: str) -> None:
        said = self._computing.get(run_id)
        if said:
            raise Cancelled(said, remedy="The plan before it stays current; `jit plan` plans anew.", run_id=run_id)
