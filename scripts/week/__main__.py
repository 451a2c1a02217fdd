"""`python -m scripts.week`: live through a company's week, and tell how it went. Exits with 1 when something failed."""

import shutil
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rich.console import Console

from scripts.week.company.firm import Firm
from scripts.week.company.page import CHROMIUM
from scripts.week.living import live
from scripts.week.timetable import as_json, row_of, show_failures, show_table

FEWEST_ITEMS = 40
"""Ten at each site, so that each sells smooth and seldom, dead and new ones."""


def main() -> int:
    """Live, print, and keep the home where something failed."""
    asked = _asked()
    console = Console(stderr=asked.json, soft_wrap=True)
    firm = Firm(Path(tempfile.mkdtemp(prefix="jit-week-")), asked.items, asked.seed)
    console.print(f"A company of {asked.items:,} items for {asked.days} days, in {firm.root}")
    lived = live(
        firm,
        asked.days,
        lambda taken: console.print(row_of(taken), highlight=False, markup=False),
        with_page=CHROMIUM.exists() and not asked.no_page,
    )
    show_table(lived, console)
    show_failures(lived, firm, console)
    sys.stdout.write(as_json(lived, firm, asked.days) + "\n")
    if not lived.failures and not asked.keep:
        shutil.rmtree(firm.root)
    return 1 if lived.failures else 0


def _asked() -> Namespace:
    parser = ArgumentParser(prog="python -m scripts.week", description=__doc__)
    parser.add_argument("--items", type=int, default=1000, help=f"of the company; at least {FEWEST_ITEMS}")
    parser.add_argument("--days", type=int, default=7, help="at least 1")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-page", action="store_true", help="leave the browser out")
    parser.add_argument("--keep", action="store_true", help="keep the home also when everything held")
    parser.add_argument("--json", action="store_true", help="only the JSON object on standard output")
    asked = parser.parse_args()
    if asked.items < FEWEST_ITEMS or asked.days < 1:
        parser.error(f"a company has at least {FEWEST_ITEMS} items, and a week a day")
    return asked


if __name__ == "__main__":
    sys.exit(main())
