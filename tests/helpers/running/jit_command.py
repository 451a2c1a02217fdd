"""The command `jit` in a process of its own, in a home of its own; `JIT` is the installed one."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loaded_command import JIT, loaded_command

LEFT_OUT = ("COLUMNS", "OPENAI_API_KEY", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


@dataclass(frozen=True)
class Jit:
    """Runs commands in one home; `extra` is added to the environment."""

    home: Path
    extra: Mapping[str, str] = field(default_factory=dict[str, str])
    patience_seconds: float = 120.0
    """Guards against hanging only."""

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JIT_")}
        for name in LEFT_OUT:
            kept.pop(name, None)
        return {**kept, "JIT_HOME": str(self.home), **self.extra, **more}

    def __call__(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        words = [str(JIT), *(str(word) for word in arguments)]
        return loaded_command().run(words, self.environment(**more), self.home.parent, self.patience_seconds)
