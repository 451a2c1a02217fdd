"""Compiled inner loops: declared at import, compiled when they are first called, and kept on disk.

Importing a module of kernels loads neither numba nor its compiler, so that what only reads stays light.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tools.kernel_cache import NUMBA_FOLDER, is_kept, kernel_folder

LOG = logging.getLogger(__name__)
R = TypeVar("R")
MODULES = (
    "tools.drift.change_points",
    "tools.forecasting.engine.kernels",
    "tools.ordering.candidates.columns",
    "tools.ordering.limits.choice_filling",
    "tools.ordering.limits.choice_search",
    "tools.ordering.stochastic.costing",
    "tools.ordering.limits.limit_use",
    "tools.ordering.stochastic.rollout_kernels",
    "tools.ordering.replenishment.exact",
    "tools.ordering.replenishment.levels_kernel",
    "tools.ordering.schedules.column_generation.columns",
    "tools.ordering.schedules.problem.expected_cost",
    "tools.ordering.schedules.column_generation.item_programme",
    "tools.ordering.schedules.column_generation.item_sweeps",
    "tools.ordering.schedules.column_generation.master",
    "tools.ordering.problem.validation",
)
"""Where kernels stand; what any of them says is part of the name that their machine code is kept under."""
MOST_NESTED = 20
"""Kernels that one calls, directly or in turn."""
Watcher = Callable[[str, int, int], None]
"""Told before a kernel is compiled: its name, which it is in this process, and of how many."""

_watchers: list[Watcher] = []
_usual: list[str] = []
"""Names of the kernels that every plan calls: those with a signature."""


class Kernel(Generic[R]):
    """A function over arrays and numbers that runs as machine code, without the interpreter's lock.

    It is compiled for the types of its arguments; those of an everyday plan are its `signature`, by which it can be
    compiled ahead. Kernels may call each other.
    """

    def __init__(self, plain: Callable[..., R], signature: str, options: dict[str, Any]) -> None:
        self.plain = plain
        self.signature = signature
        self._options = options
        if signature:
            _usual.append(plain.__name__)

    def __call__(self, *args: Any) -> R:
        """Run it, compiled."""
        for _ in range(MOST_NESTED):
            try:
                return cast(R, self.machine(*args))
            except OSError as error:  # the code is ready and only could not be kept: the next call has it
                _tell_not_kept(str(error))
        return self.plain(*args)

    @cached_property
    def machine(self) -> Any:
        """Numba's dispatcher of it."""
        from numba import njit

        return cast(Any, njit)(nogil=True, cache=_prepared() is not None, **self._options)(self.plain)

    @property
    def _numba_type_(self) -> Any:
        """What a kernel that calls this one sees."""
        return self.machine._numba_type_

    def compile_ahead(self) -> None:
        """Compile it for its signature, or load it. By types, as a call asks for it: text would be kept apart."""
        from numba.core.sigutils import normalize_signature

        types, _ = normalize_signature(self.signature)
        self.machine.compile(types)


def kernel(
    signature: str = "", *, error_model: str = "python", fastmath: bool | set[str] = False
) -> Callable[[Callable[..., R]], Kernel[R]]:
    """Declare a kernel. `error_model` "numpy" divides by zero as numpy does, `fastmath` bends rules of floats."""

    def declared(function: Callable[..., R]) -> Kernel[R]:
        return Kernel(function, signature, {"error_model": error_model, "fastmath": fastmath})

    return declared


@contextmanager
def watching(watcher: Watcher) -> Generator[None]:
    """Tell the watcher of every kernel that is compiled within the block, those within kernels left out."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@cache
def _prepared() -> Path | None:
    """Tell numba where to keep machine code, and listen to it, before the first kernel."""
    from numba.core import config, event

    folder = kernel_folder(MODULES)
    if folder is None:
        _tell_not_kept("no place of the installation or the user can be written")
    else:
        cast(Any, config).CACHE_DIR = str(folder)
    event.register("numba:compile", cast(Any, _listener(folder)))
    return folder


def _listener(folder: Path | None) -> object:
    from numba.core.event import Listener

    class Compiling(Listener):
        """Counts the kernels that are compiled, and passes their names on."""

        def __init__(self) -> None:
            self.depth = self.compiled = 0
            self.expected = len([name for name in _usual if not is_kept(folder, name)])

        def on_start(self, event: Any) -> None:
            if self.depth == 0:
                place = self.compiled + 1
                for watcher in _watchers:
                    watcher(event.data["dispatcher"].py_func.__name__, place, max(place, self.expected))
            self.depth += 1

        def on_end(self, event: Any) -> None:
            del event
            self.depth -= 1
            self.compiled += self.depth == 0

    return Compiling()


@cache
def _tell_not_kept(reason: str) -> None:
    LOG.warning(
        "Compiled kernels cannot be kept (%s), so that every command compiles them again for 10 to 20 seconds: set %s "
        "to a folder that you may write.",
        reason,
        NUMBA_FOLDER,
    )
