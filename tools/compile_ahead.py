"""Compile the kernels that every plan calls, for set-up: `python -m tools.compile_ahead`. What is kept is not compiled."""

import os
import sys
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
    """Compile in as many processes as there are processors, the longest source first, and say how far it is."""
    wanted = sorted(usual_kernels(), key=lambda one: -_length(*one))
    sys.stdout.write(f"Compiling the engine's {len(wanted)} kernels, once for this version\n")
    sys.stdout.flush()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for _ in pool.map(compile_one, *zip(*wanted, strict=True)):
            pass


def _length(module: str, name: str) -> int:
    kernel: Kernel[object] = getattr(import_module(module), name)
    return len(kernel.plain.__code__.co_code)


if __name__ == "__main__":
    main()
