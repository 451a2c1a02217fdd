"""What a check finds wrong, and of which step."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold."""

    check: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: expected {self.expected}; found {self.found}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A finding with where in the week it came up."""

    day: int
    step: str
    finding: Finding

    def __str__(self) -> str:
        return f"day {self.day}, {self.step}: {self.finding}"
