"""The company's installation: its home, its people with their keys, and its commands in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from evals.worlds.company import AS_OF, write_company
from scripts.week.company.witness import Ran, Witness

PEOPLE = {"ana": "analyst", "ben": "buyer", "mia": "manager"}
"""Ana plans and asks, Ben signs what a buyer may, Mia the rest."""
NOT_OURS = ("OPENAI_API_KEY", "COLUMNS", "FORCE_COLOR")
"""What the surroundings may set, and the week must not depend on."""
PATIENCE_SECONDS = 3600.0
"""Guards against hanging only."""


class Stuck(RuntimeError):
    """A step could not be taken: the day goes on with the next one."""


@dataclass
class Firm:
    """A home, who works there, and what was said."""

    root: Path
    items: int
    seed: int
    keys: dict[str, str] = field(default_factory=dict[str, str])
    witness: Witness = field(default_factory=Witness)

    @property
    def home(self) -> Path:
        """JIT_HOME."""
        return self.root / "home"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.root / "server.log"

    def environment(self, who: str = "") -> dict[str, str]:
        """Of a process of this person; without a name of whoever may read the home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JIT_")}
        for name in NOT_OURS:
            kept.pop(name, None)
        here = str(Path(__file__).parents[3])
        paths = os.pathsep.join(part for part in (here, kept.get("PYTHONPATH", "")) if part)
        key = {"JIT_API_KEY": self.keys[who]} if who else {}
        return {**kept, "PYTHONPATH": paths, "JIT_HOME": str(self.home), "JIT_SEED": str(self.seed), **key}

    def run(self, *words: str, who: str = "", expected: tuple[int, ...] = (0,)) -> Ran:
        """`jit` with these words, to its end. Stuck when it does not come to one."""
        command = [sys.executable, "-m", "app", *words]
        try:
            done = subprocess.run(
                command,
                env=self.environment(who),
                cwd=self.root,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Stuck(f"jit {' '.join(words)} did not end within {PATIENCE_SECONDS:,.0f} s") from error
        ran = Ran(words, done.returncode, done.stdout, done.stderr, expected)
        self.witness.ran.append(ran)
        return ran

    def told(self, *words: str, who: str = "", expected: tuple[int, ...] = (0,)) -> Any:
        """What a command answers with `--json`. Stuck when it does not end as expected."""
        ran = self.run(*words, "--json", who=who, expected=expected)
        if ran.code not in expected:
            raise Stuck(f"jit {' '.join(words)} ended with {ran.code}: {(ran.said or ran.out).strip()[-400:]}")
        return json.loads(ran.out)

    def found(self) -> Mapping[str, Any]:
        """Generate the company, import it, and add its people; gives what the import reported."""
        world = write_company(self.root / "company", seed=self.seed, items=self.items)
        imported = self.told("import", str(world.folder), "--as-of", world.as_of.isoformat())
        for name, role in PEOPLE.items():
            self.keys[name] = self.told("user", name, "--role", role)["key"]
        return dict(imported)


def day_of(number: int) -> date:
    """The day of the clock on the so manieth day of the week, the first being 1."""
    return date.fromordinal(AS_OF.toordinal() + number)
