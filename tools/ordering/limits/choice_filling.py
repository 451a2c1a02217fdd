"""A choice that keeps every limit by construction: items take turns, each with the cheapest order that still fits."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array

from tools.domain.arrays import BoolArray, FloatArray, IntArray
from tools.kernels import kernel
from tools.ordering.limits.choices import TOLERANCE, Choice

ROUNDS = 6
"""Most rounds of improvement; each visits every item."""
DRAWS = 8
"""Rounds in which items are drawn to suppliers below their least value."""
FIRST_REBATE = 0.01
"""Share of the value with which drawing begins; it doubles each round."""
WEIGHTS = (0.95, 0.98, 1.0)
"""Multiples of the rows' prices at which a start chooses: none is best everywhere."""
TOGGLES = 2
"""Times every supplier with a joint cost is closed or opened on trial."""


@dataclass(frozen=True)
class SupplierTerms:
    """What holds for a supplier's orders together, and which candidate orders from whom."""

    begin: IntArray
    """(V + 1,) where each candidate's suppliers begin."""
    supplier: IntArray
    value: FloatArray
    """Value that a candidate orders from each of its suppliers."""
    opening: FloatArray
    """(K,) money for ordering from the supplier at all."""
    least: FloatArray
    """(K,) least value of its orders together."""


@dataclass
class _State:
    """A choice in the making; the compiled rounds change it in place."""

    chosen: IntArray
    left: FloatArray
    uses: IntArray
    spent: FloatArray
    banned: BoolArray

    def copy(self) -> "_State":
        return _State(self.chosen.copy(), self.left.copy(), self.uses.copy(), self.spent.copy(), self.banned.copy())


@dataclass(frozen=True)
class _Filling:
    choice: Choice
    terms: SupplierTerms
    first: IntArray
    columns: csc_array
    shares: csr_array
    """(V, K) value of each option at each supplier."""
    by_supplier: csc_array
    """The same by supplier."""

    @classmethod
    def of(cls, choice: Choice, terms: SupplierTerms) -> "_Filling":
        shape = (choice.cost.size, terms.least.size)
        shares = csr_array((terms.value, terms.supplier, terms.begin), shape=shape)
        return cls(choice, terms, choice.first, csc_array(choice.usage), shares, csc_array(shares))

    def start(self, nothing: IntArray) -> _State:
        """Nothing ordered."""
        used = np.zeros(self.choice.cost.size)
        used[nothing] = 1.0
        left = self.choice.limit - self.choice.usage @ used
        k = self.terms.least.size
        slack = np.maximum(left, 0.0) + TOLERANCE * np.maximum(self.choice.limit, 1.0)
        return _State(nothing.copy(), slack, np.zeros(k, dtype=np.int64), np.zeros(k), np.zeros(k, dtype=np.bool_))

    def grown(self, nothing: IntArray, wish: FloatArray, *, draw: bool) -> _State:
        """From nothing ordered: every item takes what it wishes most and fits, then all improve."""
        state = self.start(nothing)
        gain = wish[nothing] - np.minimum.reduceat(wish, self.first[:-1])
        free = np.zeros_like(self.terms.opening)
        self.round(state, np.argsort(-gain, kind="stable"), wish, guard=False, fee=free)
        if draw:
            self.reach_least(state)
        self.drop_small(state)
        state.banned[:] = False
        self.settle(state, guard=True)
        for _ in range(TOGGLES):
            state = self.toggle(state)
            self.settle(state, guard=True)
        return state

    def round(
        self, state: _State, order: IntArray, priced: FloatArray, *, guard: bool, fee: FloatArray | None = None
    ) -> int:
        """One turn of each item of `order`; how many moved. `fee` (K,) stands for the suppliers' opening."""
        terms, columns = self.terms, self.columns
        return int(
            take_turns(
                order,
                priced,
                self.first,
                columns.indptr.astype(np.int64),
                columns.indices.astype(np.int64),
                columns.data,
                terms.begin,
                terms.supplier,
                terms.value,
                terms.opening if fee is None else fee,
                terms.least,
                guard,
                state.chosen,
                state.left,
                state.uses,
                state.spent,
                state.banned,
            )
        )

    def settle(self, state: _State, *, guard: bool) -> None:
        """Rounds until no item can save anything by itself."""
        everyone = np.arange(state.chosen.size)
        for _ in range(ROUNDS):
            if not self.round(state, everyone, self.choice.cost, guard=guard):
                return

    def users(self, state: _State, supplier: int) -> IntArray:
        """Items that order from the supplier."""
        begin, owner = self.terms.begin, self.terms.supplier
        counts = (begin[1:] - begin[:-1])[state.chosen]
        place = np.repeat(begin[state.chosen], counts) + _within(counts)
        return np.repeat(np.arange(state.chosen.size), counts)[owner[place] == supplier]

    def cost(self, state: _State) -> float:
        """Of the choice, suppliers' opening included."""
        return float(self.choice.cost[state.chosen].sum() + self.terms.opening[state.uses > 0].sum())

    def reach_least(self, state: _State) -> None:
        """Draw items to suppliers whose least value is not reached, by a rebate that grows; then drop the rest."""
        least, rebate = self.terms.least, np.zeros(self.terms.least.size)
        everyone = np.arange(state.chosen.size)
        for turn in range(DRAWS):
            short = self.short(state)
            if not short.size:
                return
            # a supplier that lags behind an even rise to its least value is given up
            hopeless = short[state.spent[short] < turn / DRAWS * least[short]]
            state.banned[hopeless] = True
            rebate[short] = np.maximum(2 * rebate[short], FIRST_REBATE)
            self.round(state, everyone, self.choice.cost - self.shares @ rebate, guard=False)

    def short(self, state: _State) -> IntArray:
        """Suppliers ordered from whose least value is not reached."""
        least = self.terms.least
        return np.flatnonzero((state.uses > 0) & (state.spent < least - TOLERANCE * np.maximum(least, 1.0)))

    def drop_small(self, state: _State) -> None:
        """Order no more from suppliers whose least value is not reached, the worst first."""
        least = self.terms.least
        while (short := self.short(state)).size:
            worst = int(short[np.argmin(state.spent[short] / least[short])])
            state.banned[worst] = True
            self.round(state, self.users(state, worst), self.choice.cost, guard=False)

    def toggle(self, state: _State) -> _State:
        """Order no more from a supplier, or from one more, where all its items together save by it."""
        if not (self.terms.opening > 0).any():
            return state
        for supplier in np.flatnonzero(self.terms.opening > 0).tolist():
            closing = bool(state.uses[supplier])
            tried = state.copy()
            tried.banned[supplier] = closing
            affected = self.users(state, supplier) if closing else self.customers(supplier)
            fee = self.terms.opening.copy()
            # no item by itself would pay for what all of them would share
            fee[supplier] = 0.0
            self.round(tried, affected, self.choice.cost, guard=True, fee=fee)
            better = self.cost(tried) < self.cost(state) - TOLERANCE
            if better and (not closing or tried.uses[supplier] == 0):
                state = tried
            state.banned[supplier] = False
        return state

    def customers(self, supplier: int) -> IntArray:
        """Items that may order from the supplier."""
        column = self.by_supplier
        options = column.indices[column.indptr[supplier] : column.indptr[supplier + 1]]
        return np.unique(self.choice.group[options])


def filled(
    choice: Choice, terms: SupplierTerms, nothing: IntArray, priced: FloatArray, share: FloatArray | None = None
) -> IntArray:
    """(G,) the option of each group; never dearer than `nothing`, the options that order nothing.

    Items that lose most by ordering nothing come first and choose at the rows' prices `priced` (V,), or the option of
    the largest `share` (V,) in a relaxation; then all improve at true cost. The best of these starts is taken.
    """
    filling = _Filling.of(choice, terms)
    starts = [choice.cost + weight * (priced - choice.cost) for weight in WEIGHTS]
    starts.extend([] if share is None else [-share])
    best, least = nothing, float(choice.cost[nothing].sum())
    for wish in starts:
        for draw in (False, True) if (terms.least > 0).any() else (False,):
            state = filling.grown(nothing, wish, draw=draw)
            if filling.cost(state) < least:
                best, least = state.chosen, filling.cost(state)
    return best


def _within(counts: IntArray) -> IntArray:
    """0, 1, .. within each group of the given sizes."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


@kernel()
def take_turns(  # noqa: C901 - one compiled loop over arrays; split, each turn would pay calls
    order: IntArray,
    priced: FloatArray,
    first: IntArray,
    begin: IntArray,
    row: IntArray,
    amount: FloatArray,
    supplier_begin: IntArray,
    supplier: IntArray,
    value: FloatArray,
    opening: FloatArray,
    least: FloatArray,
    guard: bool,
    chosen: IntArray,
    left: FloatArray,
    uses: IntArray,
    spent: FloatArray,
    banned: BoolArray,
) -> int:
    """Let each group of `order` take its cheapest option that fits what the others leave; returns how many moved.

    With `guard` no supplier that is ordered from may fall below its least value.
    """
    moved = 0
    for g in order:
        current = chosen[g]
        # the group gives back what it takes, so that its own option fits again
        for e in range(begin[current], begin[current + 1]):
            left[row[e]] += amount[e]
        for e in range(supplier_begin[current], supplier_begin[current + 1]):
            uses[supplier[e]] -= 1
            spent[supplier[e]] -= value[e]
        best, best_cost = current, np.inf
        for turn in range(first[g + 1] - first[g] + 1):
            # the current option first: another must be cheaper by more than rounding
            v = current if turn == 0 else first[g] + turn - 1
            cost = priced[v]
            if cost >= best_cost - 1e-9 * max(abs(best_cost), 1.0):
                continue
            fine = True
            for e in range(supplier_begin[v], supplier_begin[v + 1]):
                if banned[supplier[e]]:
                    fine = False
                # whoever comes first to a supplier pays for ordering there at all
                if uses[supplier[e]] == 0:
                    cost += opening[supplier[e]]
            if not fine or cost >= best_cost - 1e-9 * max(abs(best_cost), 1.0):
                continue
            if v != current:
                for e in range(begin[v], begin[v + 1]):
                    if amount[e] > left[row[e]]:
                        fine = False
                        break
                if guard and fine:
                    # the suppliers joined reach their least value, and those left behind keep theirs
                    for e in range(supplier_begin[v], supplier_begin[v + 1]):
                        k = supplier[e]
                        if spent[k] + value[e] < least[k] * (1.0 - 1e-9):
                            fine = False
                    for e in range(supplier_begin[current], supplier_begin[current + 1]):
                        k = supplier[e]
                        given = False
                        for f in range(supplier_begin[v], supplier_begin[v + 1]):
                            given = given or supplier[f] == k
                        if not given and uses[k] > 0 and spent[k] < least[k] * (1.0 - 1e-9):
                            fine = False
            if fine:
                best, best_cost = v, cost
        if best != current:
            moved += 1
        chosen[g] = best
        for e in range(begin[best], begin[best + 1]):
            left[row[e]] -= amount[e]
        for e in range(supplier_begin[best], supplier_begin[best + 1]):
            uses[supplier[e]] += 1
            spent[supplier[e]] += value[e]
    return moved
