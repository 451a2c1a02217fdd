"""The inner loops of the rollout, compiled on first use and cached on disk by numba.

Paths of one item run side by side in short rows, so that each step of a period is a vector operation; a block of
paths and its pipeline stay in the first-level cache. Results do not depend on the number of threads.

The same rules path by path, in plain Python: `tests/helpers/cases/rollout_in_words.py` for `play_paths`, and
`lead_time_demand_in_words.py` beside it for `fill_windows`. Tests hold them equal.
"""

import numpy as np

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.kernels import kernel

N_TOTALS = 11
(
    HELD,
    SHORT,
    REGULAR,
    REGULAR_ORDERS,
    EXPRESS,
    EXPRESS_ORDERS,
    EXCESS,
    LOST,
    SCRAPPED,
    MISSED,
    MISSED_LATER,
) = range(N_TOTALS)
"""Columns of the totals that `play_paths` adds up over the paths: unit-periods held and short, units and orders of
the continuation by channel, money for stock above the last level, units lost, units scrapped at the end of their
shelf life, units not served from stock, and those of them from the item's `reach` on."""
BLOCK = 64
"""Paths played side by side."""
ROW, LEAD, FIRST, LAST = range(4)
"""Columns of a channel's whole numbers: source row (-1 for none), periods to arrive, first and last to order in."""
MOQ, MULTIPLE, CAP, YIELD = range(4)
"""Columns of a channel's terms."""
LOST_SHARE, SHELF, BURN_LEVEL, BURN_RATE, BURN_CAP, REACH = range(6)
"""Columns of an item's traits: share of unmet demand lost, shelf life in periods, and what stock above the last
level costs: the level, money per squared unit above it, money per unit at most; first period of the later fill rate."""


@kernel("void(f8[:,:,::1], f8[:,:,::1], i8[:,::1], f8[::1], i8, f8[:,:,::1], f8[:,::1])", error_model="numpy")
def fill_windows(
    demand: FloatArray,
    arrivals: FloatArray,
    lead: IntArray,
    mean_demand: FloatArray,
    review: int,
    window: FloatArray,
    cover: FloatArray,
) -> None:
    """Demand over lead time plus review from each period on, and the open orders that land within it.

    Shapes: `demand`, `arrivals` (N, S, T); `lead` (N, S); `window` (N, T, S) by path; `cover` (N, T) its mean,
    of arrivals after the period's own. Beyond the horizon demand goes on at the item's mean rate.
    """
    n_items, n_paths, horizon = demand.shape
    needed, landed = np.zeros(horizon + 1), np.zeros(horizon + 1)
    for item in range(n_items):
        for path in range(n_paths):
            # running sums, so that each window is a difference of two
            for period in range(horizon):
                needed[period + 1] = needed[period] + demand[item, path, period]
                landed[period + 1] = landed[period] + arrivals[item, path, period]
            for period in range(horizon):
                end = period + lead[item, path] + review
                inside = min(end, horizon)
                window[item, period, path] = needed[inside] - needed[period] + (end - inside) * mean_demand[item]
                # from the next period on: what arrives in this one is in stock when its orders are placed
                cover[item, period] += (landed[inside] - landed[period + 1]) / n_paths


@kernel(
    "void(f8[::1], f8[:,:,::1], f8[:,:,::1], i8, i8[:,:,::1], f8[:,:,::1], b1[:,::1], i8[:,::1], i8[:,::1], i8[:,::1],"
    " f8[::1], i8[:,::1], i8[:,:,:,::1], f8[:,:,:,::1], f8[:,:,:,::1], f8[:,:,:,::1], f8[:,:,:,::1], f8[:,::1], i8,"
    " f8[:,:,::1], f8[:,:,:,::1], f8[:,:,::1], f8[:,:,::1], i8, i8)",
    error_model="numpy",
)
def play_paths(  # noqa: C901 - one compiled loop over arrays; split, each path would pay calls
    on_hand: FloatArray,
    arrivals: FloatArray,
    demand: FloatArray,
    every: int,
    source: IntArray,
    quantity: FloatArray,
    valid: BoolArray,
    policy: IntArray,
    lead: IntArray,
    usual: IntArray,
    yields: FloatArray,
    delay: IntArray,
    whole: IntArray,
    terms: FloatArray,
    level: FloatArray,
    up_to: FloatArray,
    within: FloatArray,
    traits: FloatArray,
    review: int,
    totals: FloatArray,
    by_path: FloatArray,
    stock_out: FloatArray,
    later_out: FloatArray,
    first_item: int,
    end_item: int,
) -> None:
    """Add up over every `every`-th path, for each item of a range and candidate, what happens under its policy.

    Shapes: `arrivals`, `demand` (N, S, T); `source`, `quantity` (N, C, P); `policy` (N, C) index of the candidate's
    policy among K; `lead`, `usual`, `delay` (M, S): of an order
    now, without its disruption, and that alone, empty for none; `yields` (M,). Per policy and channel (regular,
    express): `whole` (K, 2, N, 4) by ROW ..., `terms` (K, 2, N, 4) by MOQ ..., `level`, `up_to`, `within`
    (K, 2, N, T), the last the share of the open orders still to come that counts as cover. `traits` (N, 6);
    `totals` (N, C, N_TOTALS). When not empty, `by_path` (N, C, N_TOTALS, S) keeps the paths apart, `stock_out`
    (T, N, S) and `later_out` (T, N, 2) record the first candidate. Within a period: open orders arrive, orders are
    placed (express first), orders of no lead time arrive, demand takes stock, unmet demand is lost or waits, stock
    past its shelf life is scrapped (first in, first out; stock on hand counts as new).
    """
    n_paths, horizon = demand.shape[1], demand.shape[2]
    n_used = (n_paths + every - 1) // every
    width = min(n_used, BLOCK)
    # with few paths, several candidates are played beside each other to fill a block
    lanes = width * max(min(BLOCK // width, source.shape[1]), 1)
    record, keep = stock_out.shape[0] > 0, by_path.shape[0] > 0
    sums = np.zeros((N_TOTALS, lanes))
    stock, on_way, to_come, all_come = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    order, owed, recent = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    comes, goes, pipe = np.zeros((horizon, lanes)), np.zeros((horizon, lanes)), np.zeros((horizon + 1, lanes))
    members = np.zeros(lanes // width, dtype=np.int64)
    lands = np.zeros(horizon, dtype=np.bool_)
    for item in range(first_item, end_item):
        lost_share, reach = traits[item, LOST_SHARE], int(traits[item, REACH])
        # what keeps beyond the horizon is never scrapped; what keeps for less than a period still serves its own
        shelf = horizon + 1 if traits[item, SHELF] > horizon else max(int(traits[item, SHELF]), 1)
        for start in range(0, n_used, width):
            used = min(width, n_used - start)
            all_come[:] = 0.0
            lands[:] = False
            for p in range(width):
                # a block that is not full repeats the last path, which no total counts
                path = min(start + p, n_used - 1) * every
                for period in range(horizon):
                    goes[period, p] = demand[item, path, period]
                    comes[period, p] = arrivals[item, path, period]
            for period in range(horizon):
                landing, any_lands = comes[period], 0.0
                for p in range(width):
                    all_come[p] += landing[p]
                    any_lands = max(any_lands, landing[p])
                # most periods have no open order on any path, and are passed over below
                lands[period] = any_lands > 0
            # each candidate of a block sees the same paths
            for p in range(width, lanes):
                all_come[p] = all_come[p - width]
                for period in range(horizon):
                    goes[period, p] = goes[period, p - width]
                    comes[period, p] = comes[period, p - width]
            column = 0
            while column < source.shape[1]:
                count, k = 0, 0
                while column < source.shape[1] and count < members.size:
                    # candidates of one block share a policy, so that its terms are read once for all lanes
                    if valid[item, column]:
                        if count > 0 and policy[item, column] != k:
                            break
                        k = policy[item, column]
                        members[count] = column
                        count += 1
                    column += 1
                if count == 0:
                    break
                n = count * width
                sums[:] = 0.0
                pipe[:] = 0.0
                on_way[:] = 0.0
                recent[:] = 0.0
                stock[:] = on_hand[item]
                for p in range(n):
                    to_come[p] = all_come[p]
                for slot in range(count):
                    for part in range(source.shape[2]):
                        placed = quantity[item, members[slot], part]
                        if placed > 0:
                            row = source[item, members[slot], part]
                            good = placed * yields[row]
                            # the place at the horizon gathers all that arrives after it
                            for p in range(used):
                                pipe[min(lead[row, (start + p) * every], horizon), slot * width + p] += good
                            for p in range(slot * width, (slot + 1) * width):
                                on_way[p] += good
                # orders of the first period are the candidate itself
                due_review = review
                for period in range(horizon):
                    landing, arriving, wanted = comes[period], pipe[period], goes[period]
                    # open orders arrive before any order is placed
                    if lands[period]:
                        for p in range(n):
                            stock[p] += landing[p]
                            to_come[p] -= landing[p]
                    if period == due_review:
                        due_review += review
                        for step in range(2):
                            # express first, so that the regular source counts what it was just asked for
                            channel = 1 - step
                            row, first = whole[k, channel, item, ROW], whole[k, channel, item, FIRST]
                            if row < 0 or period < first or period > whole[k, channel, item, LAST]:
                                continue
                            wait = whole[k, channel, item, LEAD]
                            # of open orders only those within the channel's own window are cover
                            share = within[k, channel, item, period]
                            # regular counts all that is on its way, express what arrives before its next order could
                            if channel == 0:
                                for p in range(n):
                                    order[p] = stock[p] + to_come[p] * share + on_way[p]
                            else:
                                for p in range(n):
                                    order[p] = stock[p] + to_come[p] * share
                                for soon in range(period, min(period + wait + review, horizon)):
                                    near = pipe[soon]
                                    for p in range(n):
                                        order[p] += near[p]
                            floor, ceiling = level[k, channel, item, period] - 1e-9, up_to[k, channel, item, period]
                            below = 0
                            for p in range(n):
                                below += np.int64(order[p] < floor)
                            # often no path is below its level: then nothing has to be sized
                            if below == 0:
                                continue
                            moq, multiple = terms[k, channel, item, MOQ], terms[k, channel, item, MULTIPLE]
                            cap, usable = terms[k, channel, item, CAP], terms[k, channel, item, YIELD]
                            packs, per_unit = 1.0 / multiple if multiple > 0 else 0.0, 1.0 / usable
                            units_sum, orders_sum = sums[REGULAR + 2 * channel], sums[REGULAR_ORDERS + 2 * channel]
                            # marks apart are a reorder point and a lot (r, Q): whole lots until the level is reached
                            lot = up_to[k, channel, item, period] - level[k, channel, item, period]
                            for p in range(n):
                                position = order[p]
                                units = ceiling - position
                                if lot > 1e-9:
                                    units = np.ceil((ceiling - lot - position) / lot - 1e-9) * lot
                                # the supplier's rules come in this order: yield, MOQ, multiple, cap (a multiple itself)
                                units = units * per_unit
                                units = units if units > moq else moq
                                if packs > 0:
                                    units = np.ceil(units * packs - 1e-9) * multiple
                                units = units if units < cap else cap
                                # sized for all and then dropped: a loop without branches runs as vector operations
                                units = units if position < floor else 0.0
                                order[p] = units
                                units_sum[p] += units
                                orders_sum[p] += 1.0 if units > 0 else 0.0
                                on_way[p] += units * usable
                            for p in range(n):
                                if order[p] > 0:
                                    path = min(start + p % width, n_used - 1) * every
                                    lands_in = period + usual[row, path]
                                    # a disrupted source delivers nothing before an order of period 0 would arrive
                                    if delay.shape[0] > 0 and delay[row, path] > 0:
                                        lands_in = max(lands_in, lead[row, path])
                                    pipe[min(lands_in, horizon), p] += order[p] * usable
                            if record:
                                for p in range(used):
                                    later_out[period, item, channel] += order[p] / n_used
                    held, short, missed = sums[HELD], sums[SHORT], sums[MISSED]
                    # orders of no lead time are in `arriving` by now: they serve this period's demand
                    for p in range(n):
                        stock[p] += arriving[p] - wanted[p]
                        on_way[p] -= arriving[p]
                    for p in range(n):
                        left = stock[p]
                        debt = -left if left < 0 else 0.0
                        # debt beyond this period's demand was missed before and only goes on waiting
                        fresh = debt if debt < wanted[p] else wanted[p]
                        missed[p] += fresh
                        owed[p] = fresh
                        # left + debt is what is positive of left
                        held[p] += left + debt
                        short[p] += debt
                    if period >= reach:
                        missed_later = sums[MISSED_LATER]
                        for p in range(n):
                            missed_later[p] += owed[p]
                    # after the count of what is short: lost units are taken out of it again
                    if lost_share > 0:
                        lost = sums[LOST]
                        for p in range(n):
                            gone = owed[p] * lost_share
                            lost[p] += gone
                            short[p] -= gone
                            stock[p] += gone
                    if shelf <= horizon:
                        scrapped = sums[SCRAPPED]
                        # what arrives in the first period ages with the stock on hand, and neither is recent
                        if period > 0:
                            for p in range(n):
                                recent[p] += landing[p] + arriving[p]
                        if period >= shelf:
                            old, older = comes[period - shelf + 1], pipe[period - shelf + 1]
                            for p in range(n):
                                recent[p] -= old[p] + older[p]
                        # first in, first out: stock beyond all that arrived lately is what is at its end
                        if period >= shelf - 1:
                            for p in range(n):
                                stale = stock[p] - recent[p]
                                stale = stale if stale > 0 and stock[p] > 0 else 0.0
                                scrapped[p] += stale
                                stock[p] -= stale
                    if record:
                        for p in range(used):
                            stock_out[period, item, start + p] = stock[p]
                rate, most, excess = traits[item, BURN_RATE], traits[item, BURN_CAP], sums[EXCESS]
                for p in range(n):
                    # used up at the mean demand, the excess is held for over / (2 mean) periods on average
                    over = stock[p] + on_way[p] - traits[item, BURN_LEVEL]
                    over = over if over > 0 else 0.0
                    burnt, sold = rate * over * over, most * over
                    excess[p] = burnt if burnt < sold else sold
                for slot in range(count):
                    first = slot * width
                    for total in range(N_TOTALS):
                        row_of = sums[total, first : first + used]
                        if keep:
                            for p in range(used):
                                by_path[item, members[slot], total, start + p] = row_of[p]
                        # added by halves: rounding grows with the logarithm of the paths
                        left_over = used
                        while left_over > 1:
                            half = left_over // 2
                            upper = row_of[left_over - half :]
                            for p in range(half):
                                row_of[p] += upper[p]
                            left_over -= half
                        totals[item, members[slot], total] += row_of[0]
