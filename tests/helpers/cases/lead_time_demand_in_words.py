"""Demand while an order is awaited, in plain Python.

It is the reference of `rollout_kernels.fill_windows`, `levels.source_levels` and `lead_time_demand.lead_time_demand`.
Within a period open orders arrive, then orders are placed, then orders without lead time arrive, then demand takes
stock. An order of period t with a lead time of L arrives in t + L, before that period's demand, and the next one,
placed R periods later, in t + L + R. So an order has to cover the demand of t, ..., t + L + R - 1 with what is in
stock, and with the open orders that arrive in those periods; those of t itself are in stock when it is placed.
"""


def asked_for(path, start: int, span: float, beyond: float) -> float:
    """Units of a path (T,) over `span` periods from `start` on; of a part of a period, that part of its demand.

    Beyond the end of the path `beyond` is asked for in each period.
    """
    units, period = 0.0, start
    while span > 0:
        part = min(span, 1.0)
        units += part * (path[period] if period < len(path) else beyond)
        span, period = span - part, period + 1
    return units


def weighed_demand(paths, period_days: float, days, probabilities) -> list[tuple[float, float]]:
    """Units and their probability, ascending: each path with each lead time, as the two are independent."""
    return sorted(
        (asked_for(path, 0, day / period_days, sum(path) / len(path)), probability / len(paths))
        for path in paths
        for day, probability in zip(days, probabilities, strict=True)
    )


def least_covering(weighed, level: float) -> float:
    """The least units that are enough with this probability."""
    passed = 0.0
    for units, probability in sorted(weighed):
        passed += probability
        if passed >= level - 1e-12:
            return units
    return max(units for units, _ in weighed)
