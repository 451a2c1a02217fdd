"""The solver of linear and integer programmes, one thread and no word on the screen."""

import highspy


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
