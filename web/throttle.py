"""A brake on wrong tries: a few from each address, a limited number of all, in a window of time."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

ADDRESSES_KEPT = 10_000
"""Addresses remembered at once; beyond, the one that has waited longest is forgotten."""
NEIGHBOURS = 64
"""Bits of an IPv6 address that one customer holds whole, so that its other bits are no other address."""


@dataclass(slots=True)
class _Window:
    """Wrong tries since a moment."""

    began: float
    tries: int = 0


class Throttle:
    """Counts wrong tries, in memory of a fixed size. Safe across threads.

    An address that tried wrong too often waits for the rest of its window; tries while it waits are not counted,
    so that waiting ends. When all addresses together tried wrong too often, those wait that did so in their
    window: whoever has done nothing wrong gets in, and many strangers cannot lock a user out.
    """

    def __init__(
        self, per_address: int, overall: int, window_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_address = per_address
        self._overall = overall
        self._seconds = window_seconds
        self._clock = clock
        self._lock = Lock()
        self._of: OrderedDict[str, _Window] = OrderedDict()
        self._all = _Window(clock())

    def wait_seconds(self, address: str) -> float:
        """How long this address has to wait before its next try; 0 when it may try now."""
        with self._lock:
            now = self._clock()
            own, everyone = self._of.get(_neighbourhood(address)), self._all
            if own is None or self._is_over(own, now):
                return 0.0
            if own.tries >= self._per_address:
                return own.began + self._seconds - now
            if everyone.tries >= self._overall and not self._is_over(everyone, now):
                return everyone.began + self._seconds - now
            return 0.0

    def count_wrong(self, address: str) -> None:
        """Remember a wrong try."""
        with self._lock:
            now, key = self._clock(), _neighbourhood(address)
            own = self._of.get(key)
            if own is None or self._is_over(own, now):
                self._of.pop(key, None)
                own = self._of[key] = _Window(now)
            own.tries += 1
            if self._is_over(self._all, now):
                self._all = _Window(now)
            self._all.tries += 1
            while len(self._of) > ADDRESSES_KEPT:
                self._of.popitem(last=False)

    def _is_over(self, window: _Window, now: float) -> bool:
        return now - window.began >= self._seconds


def _neighbourhood(address: str) -> str:
    """The address, or the network that one customer of IPv6 holds."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, NEIGHBOURS), strict=False))
    return str(found)
