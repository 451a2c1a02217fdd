"""`python -m scripts.behaviour record FOLDER` before a change, `… compare FOLDER` after it: equal digit for digit."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from evals.worlds.demo import AS_OF, make_demo_world
from evals.worlds.folder import write_folder
from graph.session import open_session
from graph.settings import Settings
from graph.stores import open_stores
from graph.views.runs import Trigger, TriggerKind

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "demo_rdc"
KINDS = ("plan", "option", "outlook", "verdict", "drift", "risk", "negotiation", "quality", "kpi")
"""Artifacts of a run that are compared, beside its orders."""
DRAWN = {"approval_id", "content_hash", "decided_at", "started_at", "dataset_version", "estimate_version"}
"""Fields that are made from a run's id or the time."""
SHOWN = 10
"""Differences of a world that are told."""
Make = Callable[[Path], date]


def _generated(seed: int, items: int) -> Make:
    def make(folder: Path) -> date:
        write_folder(make_demo_world(seed=seed, items=items).dataset, folder)
        return AS_OF

    return make


def _worlds() -> dict[str, tuple[Make | None, date | None]]:
    """Name to what writes the world, or to the clock of the folder that holds it."""
    made: dict[str, tuple[Make | None, date | None]] = {
        "demo": (_generated(7, 40), None),
        "generated-25": (_generated(23, 25), None),
        "generated-60": (_generated(11, 60), None),
        "generated-120": (_generated(5, 120), None),
    }
    return made | ({"demo_rdc": (None, date(2013, 12, 31))} if SHARED.is_dir() else {})


def decided(name: str) -> dict[str, Any]:
    """The orders and artifacts of a run over a world, without what is drawn anew in every run."""
    make, clock = _worlds()[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "world"
        folder.mkdir()
        as_of = clock if make is None else make(folder)
        settings = Settings.model_validate(
            {"home": Path(place) / "home", "llm_model": "", "openai_api_key": "", "database_url": ""}
        )
        with closing(open_session(settings)) as session:
            session.import_folder(str(SHARED if make is None else folder), as_of=as_of)
            run_id = session.start(Trigger(kind=TriggerKind.CLI, actor="ana", reason="behaviour"))
        with closing(open_stores(settings)) as stores:
            orders = [order.model_dump(mode="json") for order in stores.operations.orders_of(run_id)]
            told = {kind: stores.warehouse.artifacts(run_id, kind) for kind in KINDS}
    return _named({"orders": orders, **told}, run_id)


def _named(value: Any, run_id: str) -> Any:
    """The same with one name for the run, and without what is drawn."""
    if isinstance(value, Mapping):
        return {key.replace(run_id, "RUN"): _named(part, run_id) for key, part in value.items() if key not in DRAWN}
    if isinstance(value, list):
        return [_named(part, run_id) for part in value]
    return value.replace(run_id, "RUN") if isinstance(value, str) else value


def _differences(before: Any, now: Any, where: str = "") -> list[str]:
    """Places at which two recordings differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [one for key in keys for one in _differences(before.get(key), now.get(key), f"{where}/{key}")]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = zip(before, now, strict=True)
        return [one for place, pair in enumerate(pairs) for one in _differences(*pair, f"{where}/{place}")]
    return [] if before == now else [f"{where}: {str(before)[:80]} became {str(now)[:80]}"]


def _tell(*lines: str) -> None:
    sys.stdout.write("\n  ".join(lines) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Record, or compare with what was recorded; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    differing = 0
    for name in _worlds():
        file, found = asked.folder / f"{name}.json", orjson.loads(orjson.dumps(decided(name)))
        if asked.what == "record":
            file.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            _tell(f"{name}: {len(found['orders'])} orders recorded in {file}")
            continue
        differences = _differences(orjson.loads(file.read_bytes()), found)
        differing += len(differences)
        _tell(f"{name}: {len(found['orders'])} orders, {len(differences)} differences", *differences[:SHOWN])
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
