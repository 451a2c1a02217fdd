"""Compile the kernels that every plan calls, for set-up: `python -m tools.compile_ahead`; what is kept is loaded."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context

from tools.kernels import MODULES, Kernel


def usual_kernels() -> Iterator[tuple[str, str]]:
    """Module and name of the kernels with a signature."""
    for module in MODULES:
        for name, found in vars(import_module(module)).items():
            if isinstance(found, Kernel) and found.signature and found.plain.__module__ == module:
                yield module, name


def compile_one(module: str, name: str) -> str:
    """Compile or load one kernel; gives its name."""
    getattr(import_module(module), name).compile_ahead()
    return name


def main() -> None:
    """Compile in as many processes as there are processors, the longest first."""
    wanted = sorted(usual_kernels(), key=lambda one: -_length(*one))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for _ in pool.map(compile_one, *zip(*wanted, strict=True)):
            pass


def _length(module: str, name: str) -> int:
    kernel: Kernel[object] = getattr(import_module(module), name)
    return len(kernel.plain.__code__.co_code)


if __name__ == "__main__":
    main()
