"""A home with the demo world imported, made once and copied for each test that changes it."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from evals.worlds.demo import AS_OF, write_demo_world
from graph.session import LocalSession, open_session
from graph.settings import Settings
from graph.views import Trigger, TriggerKind

WORLD_ITEMS = 40


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


@contextmanager
def demo_session(folder: Path, *, planned: bool = True, **changed: object) -> Iterator[LocalSession]:
    """A session on a copy of the demo home."""
    with closing(open_session(settings_of(demo_home(folder, planned=planned), **changed))) as session:
        yield session


def plan_trigger(*item_ids: str, actor: str = "ana") -> Trigger:
    """Somebody asks for a plan."""
    return Trigger(kind=TriggerKind.CLI, actor=actor, reason="test", item_ids=item_ids)
