"""Array types used across the tools. Shapes and units stand beside each field that uses them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DateArray = NDArray[np.datetime64]


def narrowed(units: NDArray[Any]) -> NDArray[Any]:
    """Whole units, none below 0, in the fewest bytes that hold them; others as they are."""
    most = float(units.max(initial=0.0))
    for kind in (np.uint8, np.uint16):
        if most <= np.iinfo(kind).max:
            whole = units.astype(kind)
            return whole if np.array_equal(whole, units) else units
    return units
