"""Nothing that people do grows faster than what it is done with: every function's calls are counted at three sizes.

Calls, reads of stored JSON and statements are counted, not timed, so that a busy machine changes nothing. Code that
looks through all lines for each line, or reads all approvals for each order, shows as a function whose calls grow with
the square.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from demo_home import plan_trigger, settings_of

from evals.worlds.demo import AS_OF, make_demo_world
from evals.worlds.folder import write_folder
from graph.session import open_session

ROOT = Path(__file__).parents[3]
OURS = tuple(f"{ROOT / name}/" for name in ("agents", "erp", "graph", "policies", "store", "tools"))
SIZES = (32, 64, 128)
MANY_CALLS = 400
"""Calls at the largest size from which a function's growth is judged: few calls jump with chance."""
SLACK = 1.35
"""Growth beyond that of items or lines that chance explains: what is drawn for more items differs a little."""
SHOWN = 10
ON_A_PAGE = 5
"""Waiting orders that are looked at; at every size there are more."""
Calls = Counter[str]


def calls_of(work: Callable[[], object]) -> Calls:
    """Calls of our functions, and of `loads` from them, on all threads that begin within the work."""
    found: Calls = Counter()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(OURS):
            place = f"{code.co_filename.removeprefix(f'{ROOT}/')}: {code.co_qualname}"
            if event == "call":
                found[place] += 1
            elif event == "c_call" and argument.__name__ == "loads":
                found[f"{place} reads JSON"] += 1

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return found


@dataclass(frozen=True)
class Lived:
    """What was done with a company of some size."""

    items: int
    lines: int
    steps: dict[str, Calls]


def lived(folder: Path, items: int) -> Lived:
    """Import, plan, look, plan again, decide."""
    files, steps = folder / f"files-{items}", dict[str, Calls]()
    files.mkdir()
    write_folder(make_demo_world(items=items).dataset, files)
    with closing(open_session(settings_of(folder / f"home-{items}"))) as session:
        steps["import"] = calls_of(lambda: session.import_folder(str(files), as_of=AS_OF))
        steps["plan"] = calls_of(lambda: session.start(plan_trigger()))
        steps["show"] = calls_of(session.plan)
        session.waiting(ON_A_PAGE, 0, "")
        steps["wait"] = calls_of(lambda: session.waiting(ON_A_PAGE, 0, ""))
        steps["decide"] = calls_of(lambda: session.decide(session.pending()[0].approval_id, "approve", "mara"))
        steps["plan again"] = calls_of(lambda: session.start(plan_trigger()))
        return Lived(items, len(session.plan().lines), steps)


@pytest.fixture(scope="module")
def sizes(tmp_path_factory: pytest.TempPathFactory) -> list[Lived]:
    return [lived(tmp_path_factory.mktemp("growth"), items) for items in SIZES]


def growing(small: Calls, middle: Calls, large: Calls, allowed: tuple[float, float]) -> list[str]:
    """Functions whose calls grow too fast over both steps, in words."""
    return [
        f"{place}: {small[place]}, {middle[place]}, {count} calls"
        for place, count in large.most_common()
        if count >= MANY_CALLS
        and small[place]
        and middle[place] > small[place] * allowed[0]
        and count > middle[place] * allowed[1]
    ][:SHOWN]


@pytest.mark.parametrize("step", ["import", "plan", "show", "wait", "decide", "plan again"])
def test_no_function_is_called_more_often_than_the_company_is_larger(sizes: list[Lived], step: str) -> None:
    small, middle, large = sizes
    allowed = tuple(
        SLACK * max(after.items / before.items, after.lines / before.lines)
        for before, after in ((small, middle), (middle, large))
    )
    found = growing(small.steps[step], middle.steps[step], large.steps[step], (allowed[0], allowed[1]))
    assert not found, "\n".join([f"{step}: allowed growth {allowed[0]:.2f}, {allowed[1]:.2f}", *found])


def test_a_square_is_found() -> None:
    """The judge itself: what looks through all lines for each line is told, what looks at each once is not."""
    linear = [Counter({"each": 40 * n, "all of each": (10 * n) ** 2}) for n in (1, 2, 4)]
    (told,) = growing(*linear, (2 * SLACK, 2 * SLACK))
    assert told == "all of each: 100, 400, 1600 calls"
