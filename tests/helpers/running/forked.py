"""Work in a forked process, to see what a killed one leaves."""

import os
from collections.abc import Callable


def in_child(work: Callable[[], None]) -> int:
    """Do it in a forked process; returns the signal that ended it, 0 for none."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the forked process failed by itself")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
