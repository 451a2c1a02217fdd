"""Safety stock along a serial line whose stages guarantee the time in which they serve.

Graves and Willems (2000); Snyder and Shen, section 6.3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from tools.domain.errors import BadInput
from tools.ordering.textbook.inputs import require_nonnegative


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a serial line; times in whole periods."""

    processing_time: int
    holding_cost: float
    """Money per unit and period of what is stored behind the stage."""


@dataclass(frozen=True, slots=True)
class GuaranteedService:
    """What each stage commits to and stores, upstream first, at least cost per period."""

    service_times: tuple[int, ...]
    """Periods in which each stage serves the next; the last one the customer."""
    net_lead_times: tuple[int, ...]
    """Periods of demand that each stage must cover from stock."""
    safety_stocks: tuple[float, ...]
    cost: float


def guaranteed_service(
    stages: Sequence[Stage], *, demand_sd: float, service_score: float, quoted_time: int = 0, inbound_time: int = 0
) -> GuaranteedService:
    """Committed service times of a serial line at least holding cost of its safety stock.

    Dynamic programme over the time that each stage quotes to the next.

    Parameters
    ----------
    stages
        Upstream first.
    demand_sd
        Standard deviation of a period's demand, in units.
    service_score
        Normal score of the demand bound, for example 1.645 for 95 %.
    quoted_time
        Longest time that the customer is quoted.
    inbound_time
        Time in which the first stage is served.
    """
    require_nonnegative(demand_sd=demand_sd, service_score=service_score)
    require_nonnegative(quoted_time=quoted_time, inbound_time=inbound_time)
    if not stages:
        raise BadInput("The line has no stage.", remedy="Give at least one stage.")
    best: Mapping[int, _Quoted] = {inbound_time: _Quoted(0.0, ())}
    for place, stage in enumerate(stages):
        require_nonnegative(processing_time=stage.processing_time, holding_cost=stage.holding_cost)
        last = place == len(stages) - 1
        best = _next_stage(best, stage, service_score * demand_sd, quoted_time if last else None)
    chosen = min(best.values(), key=lambda quoted: quoted.cost)
    nets = _net_lead_times(stages, chosen.times, inbound_time)
    stocks = tuple(service_score * demand_sd * sqrt(net) for net in nets)
    return GuaranteedService(chosen.times, nets, stocks, chosen.cost)


@dataclass(frozen=True, slots=True)
class _Quoted:
    """The cheapest way to quote some time so far."""

    cost: float
    times: tuple[int, ...]


def _next_stage(best: Mapping[int, _Quoted], stage: Stage, spread: float, longest: int | None) -> dict[int, _Quoted]:
    """The cheapest way to each time that the stage may quote: up to its own reach, and to `longest` if given."""
    found = dict[int, _Quoted]()
    for inbound, before in best.items():
        reach = inbound + stage.processing_time
        for quote in range((reach if longest is None else min(reach, longest)) + 1):
            cost = before.cost + stage.holding_cost * spread * sqrt(reach - quote)
            if quote not in found or cost < found[quote].cost:
                found[quote] = _Quoted(cost, (*before.times, quote))
    return found


def _net_lead_times(stages: Sequence[Stage], times: tuple[int, ...], inbound_time: int) -> tuple[int, ...]:
    inbound = (inbound_time, *times[:-1])
    rows = zip(stages, times, inbound, strict=True)
    return tuple(served + stage.processing_time - quote for stage, quote, served in rows)
