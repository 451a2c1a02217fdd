"""Solvers of programmes: HiGHS on one thread and without a word on the screen, and a quasi-Newton search of prices."""

from collections.abc import Callable
from functools import cache
from typing import Any

import highspy
import numpy as np
from threadpoolctl import ThreadpoolController

from tools.domain.arrays import FloatArray


class QuietHighs(highspy.Highs):
    """HiGHS without its banner, which its constructor prints while it enables callbacks."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the library's name
        """Turn all output off before the first line is written."""
        self.silent()
        super().enableCallbacks()


def quiet_solver() -> highspy.Highs:
    """A solver that runs on one thread: the answer does not depend on the machine."""
    solver = QuietHighs()
    solver.setOptionValue("threads", 1)
    return solver


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def descend(
    slope_of: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    upper: FloatArray,
    *,
    steps: int,
    memory: int = 20,
) -> tuple[FloatArray, float]:
    """Least value found within 0 .. `upper` by L-BFGS-B, and its place; `slope_of` gives value and gradient.

    Its linear algebra is tiny: threads of the BLAS library would spend their time waiting for each other (two
    milliseconds a step on few prices), so it runs on one.
    """
    from scipy.optimize import minimize

    with _blas().limit(limits=1, user_api="blas"):
        answer: Any = minimize(
            slope_of,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=np.stack([np.zeros(start.size), upper], axis=1),
            options={"maxiter": steps, "maxfun": steps + 20, "maxcor": memory, "ftol": 1e-12, "gtol": 1e-9},
        )
    return np.asarray(answer.x), float(answer.fun)
