"""A home with the demo world imported, made once and copied for each test that changes it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from erp.sandbox_home import erp_mark
from evals.worlds.demo import AS_OF, write_demo_world
from graph.session import LocalSession, open_session
from graph.settings import Settings
from graph.views.runs import Trigger, TriggerKind
from store.audit.belonging import OperationsMark
from store.operations import Operations
from store.warehouse import Warehouse

WORLD_ITEMS = 40
FEW_ITEMS = ("I002", "I008", "I009", "I010", "I022")
"""Their plan has orders that leave by themselves, from one and from several suppliers, a cancellation, approvals."""


def settings_of(home: Path, **changed: object) -> Settings:
    """Settings of a home, whatever the environment says."""
    return Settings.model_validate({"home": home, "openai_api_key": "", "llm_model": "", "database_url": "", **changed})


@lru_cache(maxsize=1)
def _imported() -> Path:
    root = Path(mkdtemp(prefix="jit-demo-home-"))
    write_demo_world(root / "world")
    with closing(open_session(settings_of(root / "home"))) as session:
        session.import_folder(str(root / "world"), as_of=AS_OF)
    return root / "home"


@lru_cache(maxsize=1)
def _planned() -> Path:
    home = Path(mkdtemp(prefix="jit-demo-plan-")) / "home"
    shutil.copytree(_imported(), home)
    with closing(open_session(settings_of(home))) as session:
        session.start(plan_trigger())
    return home


def demo_home(folder: Path, *, planned: bool = False) -> Path:
    """A copy of the demo home under the folder, with one run that waits for approvals when `planned`."""
    home = folder / "home"
    shutil.copytree(_planned() if planned else _imported(), home)
    return home


def without_an_id(home: Path) -> None:
    """Make warehouse and sandbox ERP what they were before homes had an id."""
    with duckdb.connect(str(home / "warehouse.duckdb")) as warehouse:
        warehouse.execute("DROP TABLE home")
        warehouse.execute("DELETE FROM migrations WHERE name = '0005_home'")
    with closing(sqlite3.connect(home / "sandbox_erp.sqlite")) as erp, erp:
        erp.execute("DROP TABLE home")


def on_postgres(home: Path, url: str) -> Settings:
    """Settings of a demo home whose operations begin in an empty PostgreSQL, made known to the other databases."""
    with Warehouse(home / "warehouse.duckdb") as warehouse, closing(Operations(url)) as operations:
        mark, erp = warehouse.home_mark(), erp_mark(home / "sandbox_erp.sqlite")
        operations.set_home(mark.home_id, founded=True)
        operations.start_counting_at(
            OperationsMark(handed_over=mark.taken, projected=mark.taken, supply=erp.supply, erp_changes=erp.changes)
        )
    (home / "operations.sqlite").unlink(missing_ok=True)
    return settings_of(home, database_url=url)


@contextmanager
def demo_session(
    folder: Path, *, planned: bool = True, database_url: str = "", **changed: object
) -> Iterator[LocalSession]:
    """A session on a copy of the demo home; with a URL its operations begin in that empty database."""
    home = demo_home(folder, planned=planned)
    settings = on_postgres(home, database_url) if database_url else settings_of(home, **changed)
    with closing(open_session(settings)) as session:
        yield session


def plan_trigger(*item_ids: str, actor: str = "ana") -> Trigger:
    """Somebody asks for a plan."""
    return Trigger(kind=TriggerKind.CLI, actor=actor, reason="test", item_ids=item_ids)
