"""Serves the workbench over a session in memory until it is told to end.

python workbench_server.py HOME PAUSE [MORE]: seconds that a step takes, and items that are due beside the usual ones.
"""

import sys
from pathlib import Path

from pydantic import SecretStr

# run as a script: the folders that pytest puts on the path have to come before the imports
TESTS = Path(__file__).parents[1]
HELPERS = TESTS / "helpers"
sys.path[:0] = [str(folder) for folder in (TESTS.parent, TESTS, HELPERS / "cases", HELPERS / "running")]

from integration.web.web_members import team  # noqa: E402
from integration.web.web_session import InMemorySession  # noqa: E402
from integration.web.web_stock import many_items  # noqa: E402

from graph.views.runs import Trigger, TriggerKind  # noqa: E402
from web.server import serve  # noqa: E402
from web.settings import WebSettings  # noqa: E402


def main() -> None:
    """One run is planned before the first page opens, unless the pause says that the test starts it."""
    home, pause = Path(sys.argv[1]), float(sys.argv[2])
    more = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    session = InMemorySession(pause=pause, items=many_items(more))
    if not pause:
        session.start(Trigger(kind=TriggerKind.SCHEDULE, actor="schedule", reason="every morning"))
    settings = WebSettings(
        home=home,
        webhook_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        refresh_seconds=0.5,
    )
    serve(session, team(), settings, "127.0.0.1", 0)


if __name__ == "__main__":
    main()
