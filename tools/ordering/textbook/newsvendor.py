"""Newsvendor levels: normal, Poisson and any discrete demand, and a supplier that may be down.

Equations are those of Snyder and Shen, Fundamentals of Supply Chain Theory (2nd edition, 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, log, log1p, pi, sqrt

import numpy as np
from scipy.special import ndtri

from tools.domain.arrays import FloatArray
from tools.domain.errors import BadInput
from tools.ordering.textbook.inputs import require_nonnegative, require_positive, require_probability

TAIL = 1e-12
"""Probability of demand that a table of Poisson demand leaves out."""


@dataclass(frozen=True, slots=True)
class Level:
    """An order-up-to level in units and its expected cost per period, in money."""

    level: float
    cost: float


def critical_ratio(holding_cost: float, shortage_cost: float) -> float:
    """Probability of no shortage that is worth its stock: p / (p + h), equation 4.16."""
    require_positive(holding_cost=holding_cost, shortage_cost=shortage_cost)
    return shortage_cost / (holding_cost + shortage_cost)


def newsvendor_normal(holding_cost: float, shortage_cost: float, mean: float, sd: float) -> Level:
    """Newsvendor with normal demand: μ + z σ at cost (h + p) φ(z) σ, equations 4.17 and 4.24."""
    require_nonnegative(sd=sd)
    score = float(ndtri(critical_ratio(holding_cost, shortage_cost)))
    density = exp(-(score**2) / 2) / sqrt(2 * pi)
    return Level(mean + score * sd, (holding_cost + shortage_cost) * density * sd)


def newsvendor_poisson(holding_cost: float, shortage_cost: float, mean: float) -> Level:
    """Newsvendor with Poisson demand: the least level whose probability reaches the critical ratio."""
    return newsvendor_discrete(holding_cost, shortage_cost, *poisson_table(mean))


def newsvendor_discrete(
    holding_cost: float,
    shortage_cost: float,
    values: Sequence[float] | FloatArray,
    probabilities: Sequence[float] | FloatArray,
) -> Level:
    """Newsvendor with demand `values` (n,), ascending, of `probabilities` (n,): equation 4.34."""
    ratio = critical_ratio(holding_cost, shortage_cost)
    units, chance = np.asarray(values, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if units.shape != chance.shape or not units.size or abs(float(chance.sum()) - 1) > 1e-6 or (chance < 0).any():
        raise BadInput(
            f"{units.size} values with {chance.size} probabilities that sum to {float(chance.sum()):g}.",
            remedy="Give one probability of at least 0 to each value, summing to 1.",
        )
    if (np.diff(units) <= 0).any():
        raise BadInput("The values of demand do not ascend.", remedy="Sort them, and join equal ones.")
    place = int(np.searchsorted(np.cumsum(chance), ratio - TAIL))
    level = float(units[min(place, units.size - 1)])
    return Level(level, one_period_cost(level, holding_cost, shortage_cost, units, chance))


def newsvendor_with_disruptions(
    holding_cost: float, shortage_cost: float, demand: float, *, disruption_chance: float, recovery_chance: float
) -> Level:
    """Order-up-to level of a steady demand whose supplier may be down: section 9.2, by periods without supply.

    `disruption_chance` is the probability of a breakdown in a period of supply, `recovery_chance` that of a repair in
    a period without; `demand` is units per period.
    """
    require_positive(demand=demand)
    require_probability(disruption_chance=disruption_chance, recovery_chance=recovery_chance)
    up = recovery_chance / (disruption_chance + recovery_chance)
    longest = ceil(log(1e-14) / log1p(-recovery_chance)) if recovery_chance < 1 else 1
    down = up * disruption_chance * (1 - recovery_chance) ** np.arange(longest)
    periods = np.arange(1, longest + 2, dtype=np.float64)
    return newsvendor_discrete(holding_cost, shortage_cost, demand * periods, np.concatenate([[up], down]))


def poisson_table(mean: float) -> tuple[FloatArray, FloatArray]:
    """(n,) values 0, 1, ... of Poisson demand and their probabilities, up to a negligible tail."""
    from scipy.stats import poisson

    require_positive(mean=mean)
    values = np.arange(int(poisson.ppf(1 - TAIL, mean)) + 1, dtype=np.float64)
    return values, np.asarray(poisson.pmf(values, mean), dtype=np.float64)


def one_period_cost(
    level: float, holding_cost: float, shortage_cost: float, values: FloatArray, probabilities: FloatArray
) -> float:
    """Expected holding and shortage cost of a period that begins at `level`."""
    left = level - values
    return float((holding_cost * np.maximum(left, 0) + shortage_cost * np.maximum(-left, 0)) @ probabilities)
