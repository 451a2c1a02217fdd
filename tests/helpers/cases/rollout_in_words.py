"""One sample path after the orders placed now, in plain Python: the reference of `rollout_kernels.play_paths`."""

from collections import Counter

import numpy as np


def order_size(position, level, up_to, moq, multiple, cap, usable) -> float:
    """Units to order from below the level: up to the upper mark or, where that is a lot away, the least whole lots."""
    lot = up_to - level
    gap = np.ceil((level - position) / lot - 1e-9) * lot if lot > 1e-9 else up_to - position
    units = max(gap / usable, moq)
    return min(np.ceil(units / multiple - 1e-9) * multiple if multiple > 0 else units, cap)


def play_in_words(problem, policy, columns, item, column, kind, path):
    """Sums by name, net stock (T,) at the end of each period, and units ordered later (T, 2): regular, express."""
    snapshot, levels, review = problem.snapshot, problem.levels, problem.settings.review_periods
    horizon, sources, tables = snapshot.horizon, snapshot.sources, policy.tables
    landing, demand = snapshot.arrivals[item, path], snapshot.demand[item, path]
    stock, ordered, sums = np.zeros(horizon), np.zeros((horizon, 2)), Counter()
    coming = np.zeros(horizon + 1)  # by period of arrival; the last place is beyond the horizon
    for row, units in zip(columns.source[item, column], columns.quantity[item, column], strict=True):
        coming[min(levels.lead[row, path], horizon)] += units * sources.yield_rate[row] if units > 0 else 0.0
    batch = np.zeros(horizon)  # stock by period of arrival; what is on hand counts as new
    batch[0], owed = max(snapshot.on_hand[item], 0.0), max(-snapshot.on_hand[item], 0.0)
    shelf = snapshot.shelf_life_periods[item] if snapshot.shelf_life_periods[item] <= horizon else np.inf
    for period in range(horizon):
        # Open orders arrive; whatever arrives serves the demand that waits before it becomes stock.
        owed, batch[period] = max(owed - landing[period], 0.0), batch[period] + max(landing[period] - owed, 0.0)
        # At a review, express is asked before regular; the orders of the first period are the candidate itself.
        for channel in (1, 0) if period > 0 and period % review == 0 else ():
            row, wait, first, last = tables.whole[kind, channel, item]
            level, up_to, share = (t[kind, channel, item, period] for t in (tables.level, tables.up_to, tables.within))
            # Express counts what arrives before its next order could; regular counts all that is on its way.
            end = min(period + wait + review, horizon) if channel else horizon + 1
            position = batch.sum() - owed + coming[period:end].sum() + share * landing[period + 1 :].sum()
            if row >= 0 and first <= period <= last and position < level - 1e-9:
                units = order_size(position, level, up_to, *tables.terms[kind, channel, item])
                # A disrupted source delivers nothing before an order of the first period would have arrived.
                resumes = levels.lead[row, path] if sources.path_delay.size and sources.path_delay[row, path] else 0
                arrival = max(period + levels.usual_lead[row, path], resumes)
                coming[min(arrival, horizon)] += units * tables.terms[kind, channel, item, 3]
                ordered[period, channel] = units
        # The orders due in this period arrive, those just placed without lead time among them.
        owed, batch[period] = max(owed - coming[period], 0.0), batch[period] + max(coming[period] - owed, 0.0)
        # Demand takes the oldest stock first; of what is unmet a share is lost and the rest waits.
        taken = np.diff(np.minimum(np.cumsum(batch), demand[period]), prepend=0.0)
        batch, missed, coming[period] = batch - taken, demand[period] - taken.sum(), 0.0
        lost, later = missed * snapshot.lost_share[item], missed * (period >= policy.reach[item])
        owed += missed - lost
        # Stock and the demand that waits are counted before stock at the end of its shelf life is scrapped.
        sums.update(missed=missed, missed_later=later, lost=lost, held=batch.sum(), short=owed)
        too_old = np.arange(horizon) <= period + 1 - max(np.floor(shelf), 1.0)
        sums["scrapped"] += batch[too_old].sum()
        batch[too_old] = 0.0
        stock[period] = batch.sum() - owed
    over = max(stock[-1] + coming.sum() - max(policy.burn_level[item], 0.0), 0.0)
    burn = snapshot.holding_cost[item] * over**2 / (2 * max(snapshot.demand[item].mean(), 1e-9))
    sums["excess"] = min(burn, snapshot.unit_value[item] * over)
    return sums, stock, ordered
