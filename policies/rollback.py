"""When figures got worse after a change of versions, and which point to go back to. Pure; no run calls it yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tools.domain.errors import NotFound


@dataclass(frozen=True, slots=True)
class VersionBundle:
    """Everything that a run's result depends on."""

    dataset: str
    models: str
    constraints: str
    policies: str
    code: str

    def changed_from(self, other: "VersionBundle") -> tuple[str, ...]:
        """Names of the parts that differ."""
        names = ("dataset", "models", "constraints", "policies", "code")
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """A bundle that was in use, with the figures measured under it."""

    point_id: str
    at: datetime
    bundle: VersionBundle
    kpis: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Guard:
    """How far a figure may get worse before it counts. `floor` is the least change noticed, in the KPI's unit."""

    kpi: str
    higher_is_better: bool
    tolerance_bp: int
    """Allowed worsening relative to the reference, in basis points."""
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Breach:
    """A figure that got worse than its guard allows; a figure that vanished counts as one (`actual` is None)."""

    kpi: str
    reference: float
    actual: float | None
    allowed_worsening: float

    @property
    def reason(self) -> str:
        """In words."""
        if self.actual is None:
            return f"{self.kpi} was {self.reference:g} and is no longer measured."
        return f"{self.kpi} went from {self.reference:g} to {self.actual:g}; {self.allowed_worsening:g} is tolerated."


def breaches(
    reference: Mapping[str, float], current: Mapping[str, float], guards: Sequence[Guard]
) -> tuple[Breach, ...]:
    """Guarded figures that are worse than their reference by more than is tolerated.

    A figure without a reference is not judged.
    """
    found: list[Breach] = []
    for guard in guards:
        if guard.kpi not in reference:
            continue
        before, now = reference[guard.kpi], current.get(guard.kpi)
        allowed = max(abs(before) * guard.tolerance_bp / 10_000, guard.floor)
        worsening = None if now is None else (before - now if guard.higher_is_better else now - before)
        if worsening is None or not worsening <= allowed:
            found.append(Breach(guard.kpi, before, now, allowed))
    return tuple(found)


def point_to_restore(points: Sequence[RestorePoint], guards: Sequence[Guard]) -> RestorePoint:
    """The latest earlier point against which the newest one is in breach and whose bundle differs from it.

    NotFound when the newest point is no worse than any before it: nothing is rolled back without a reason.
    """
    if not points:
        raise NotFound("No point has been recorded.", remedy="Run a plan first.")
    *earlier, newest = sorted(points, key=lambda point: point.at)
    for point in reversed(earlier):
        if newest.bundle.changed_from(point.bundle) and breaches(point.kpis, newest.kpis, guards):
            return point
    raise NotFound(
        "No earlier point had better figures.", remedy="Keep the present versions.", point_id=newest.point_id
    )
