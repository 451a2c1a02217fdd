"""The least-cost choice from a bound and a known one: what cannot be better is left out, the rest is searched.

Every option whose reduced cost exceeds the difference of choice and bound is left out, which is most of them. What
remains is searched depth first where it is small, else by branch and bound.
"""

from time import perf_counter

import numpy as np

from tools.domain.arrays import FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.limits.choices import CLOSE, Choice, branched

CORE_OPTIONS = 1_500
"""Options of the groups that are searched first where there are many more."""
CORE_TIME = 0.5
"""Share of the time that is left for that."""
MOST_OPTIONS = 20_000
"""Options left up to which branch and bound is tried: with more it finds nothing better in seconds."""
MOST_NODES = 100_000
"""Options looked at before the search gives up."""
DENSE = 200_000
"""Options times rows up to which the table is small enough."""


def best_choice(
    choice: Choice, bound: float, prices: FloatArray, known: IntArray, seconds: float
) -> tuple[IntArray, bool]:
    """The least-cost options (places in `choice`), and whether they were proven so; `known` when time runs out."""
    end = perf_counter() + seconds
    first = choice.first
    priced = choice.priced(prices)
    reduced = priced - np.repeat(np.minimum.reduceat(priced, first[:-1]), np.diff(first))
    if choice.cost.size > CORE_OPTIONS:
        known = _core_choice(choice, reduced, known, CORE_TIME * seconds)
    value = float(choice.cost[known].sum())
    tolerance = CLOSE * max(abs(value), 1.0)
    # with such an option the bound alone would exceed the known choice
    kept = reduced <= value - bound + tolerance
    kept[known] = True
    smaller, places = choice.only(kept)
    found, proven = depth_first_search(smaller, prices, np.searchsorted(places, known), tolerance)
    left = end - perf_counter()
    if not proven and left > 0 and places.size <= MOST_OPTIONS:
        better, proven = branched(smaller, found, left)
        found = found if better is None else better
    return _cheaper(choice, known, places[found]), proven


def _cheaper(choice: Choice, known: IntArray, other: IntArray | None) -> IntArray:
    """The other options where they fit and cost less."""
    if other is None or choice.cost[other].sum() >= choice.cost[known].sum() or not choice.fits(other):
        return known
    return other


def _core_choice(choice: Choice, reduced: FloatArray, known: IntArray, seconds: float) -> IntArray:
    """Search the core alone: the groups whose two best options differ least; the others take their best or known one.

    Balas & Zemel, An algorithm for large zero-one knapsack problems, Operations Research 28 (1980).
    """
    groups, order = _by_regret(choice, reduced)
    sizes = np.diff(choice.first)[groups[::-1]]
    core = np.zeros(groups.size, dtype=np.bool_)
    core[groups[::-1][np.cumsum(sizes) <= CORE_OPTIONS]] = True
    best = np.empty(groups.size, dtype=np.int64)
    best[groups] = order[np.concatenate([[0], np.cumsum(sizes[::-1])[:-1]])]
    for fixed in (best, known):
        kept = core[choice.group]
        kept[fixed] = True
        smaller, places = choice.only(kept)
        inside = np.searchsorted(places, known) if kept[known].all() else None
        found, _ = branched(smaller, inside, seconds / 2)
        known = _cheaper(choice, known, None if found is None else places[found])
    return known


def depth_first_search(choice: Choice, prices: FloatArray, known: IntArray, tolerance: float) -> tuple[IntArray, bool]:
    """The least-cost options within every row, up to `tolerance` in money, and whether they were proven so."""
    if choice.cost.size * max(choice.limit.size, 1) > DENSE:
        return known, False
    priced, first = choice.priced(prices), choice.first
    low = np.minimum.reduceat(priced, first[:-1])
    counts = np.diff(first)
    reduced = priced - np.repeat(low, counts)
    groups, order = _by_regret(choice, reduced)
    begin = np.concatenate([[0], np.cumsum(counts[groups])]).astype(np.int64)
    usage = np.ascontiguousarray(choice.usage.toarray().T[order])
    least = np.minimum.reduceat(usage, begin[:-1], axis=0)
    rest = np.zeros((groups.size + 1, usage.shape[1]))
    rest[:-1] = np.cumsum(least[::-1], axis=0)[::-1]
    room = choice.limit + 1e-9 * np.maximum(np.abs(choice.limit), 1.0)
    bound = float(low.sum() - prices @ choice.limit)
    best = float(choice.cost[known].sum())
    picked = np.full(groups.size, -1, dtype=np.int64)
    complete = depth_first(
        begin, choice.cost[order], reduced[order], usage, rest, room, bound, best, tolerance, MOST_NODES, picked
    )
    found = known if picked[0] < 0 else np.sort(order[picked])
    return found, bool(complete)


def _by_regret(choice: Choice, reduced: FloatArray) -> tuple[IntArray, IntArray]:
    """Groups by falling reduced cost of their second option, and the options in that order, each group's ascending."""
    within = np.lexsort((reduced, choice.group))
    counts = np.diff(choice.first)
    second = np.full(counts.size, np.inf)
    second[counts > 1] = reduced[within[choice.first[:-1][counts > 1] + 1]]
    groups = np.argsort(-second, kind="stable")
    rank = np.empty_like(groups)
    rank[groups] = np.arange(groups.size)
    return groups, np.lexsort((reduced, rank[choice.group]))


@kernel()
def depth_first(
    begin: IntArray,
    cost: FloatArray,
    reduced: FloatArray,
    usage: FloatArray,
    rest: FloatArray,
    room: FloatArray,
    bound: float,
    best: float,
    tolerance: float,
    most_nodes: int,
    picked: IntArray,
) -> bool:
    """Write the best options into `picked` (-1 where nothing beats `best`); whether the search was complete.

    Options of a group ascend in reduced cost, `rest` is the least that the groups from each on use of every row.
    """
    groups, rows = begin.size - 1, room.size
    at = begin[:-1].copy()
    extra, spent = np.zeros(groups + 1), np.zeros(groups + 1)
    used = np.zeros((groups + 1, rows))
    level, nodes = 0, 0
    while level >= 0:
        v = at[level]
        # options ascend, so that none after this one can be better either
        if v == begin[level + 1] or bound + extra[level] + reduced[v] >= best - tolerance:
            at[level] = begin[level]
            level -= 1
            continue
        at[level] += 1
        nodes += 1
        if nodes > most_nodes:
            return False
        fine = True
        for r in range(rows):
            used[level + 1, r] = used[level, r] + usage[v, r]
            # not even the thriftiest options of the groups to come would fit
            if used[level + 1, r] + rest[level + 1, r] > room[r]:
                fine = False
                break
        if not fine:
            continue
        extra[level + 1], spent[level + 1] = extra[level] + reduced[v], spent[level] + cost[v]
        if level + 1 < groups:
            level += 1
            continue
        if spent[groups] < best - tolerance:
            best = spent[groups]
            for g in range(groups):
                # `at` has moved on to the option after the one taken
                picked[g] = at[g] - 1
    return True
