"""Demand patterns after Syntetos, Boylan and Croston (2005): intermittence against variability of sizes."""

from enum import StrEnum

import numpy as np

from tools.domain.arrays import FloatArray, IntArray

ADI_CUT = 1.32
CV2_CUT = 0.49


class DemandPattern(StrEnum):
    """Which family of models suits the series."""

    SMOOTH = "smooth"
    ERRATIC = "erratic"
    INTERMITTENT = "intermittent"
    LUMPY = "lumpy"
    NONE = "none"
    """No demand at all."""


PATTERNS = tuple(DemandPattern)
"""Patterns by the code that `classify_rows` gives."""


def classify(quantities: FloatArray) -> DemandPattern:
    """Pattern of a bucketed series (n,), nan where unknown."""
    return PATTERNS[int(classify_rows(quantities[None, :])[0])]


def classify_rows(values: FloatArray) -> IntArray:
    """(N,) codes into `PATTERNS` of series (N, n): mean interval between demands and squared CV of their sizes."""
    known = np.isfinite(values).sum(axis=1)
    positive = values > 0
    count = positive.sum(axis=1)
    least = np.maximum(count, 1)
    sizes = np.where(positive, values, 0.0)
    mean = sizes.sum(axis=1) / least
    variance = np.maximum((sizes**2).sum(axis=1) / least - mean**2, 0.0)
    frequent = known / least < ADI_CUT
    steady = variance < CV2_CUT * np.maximum(mean, 1e-300) ** 2
    codes = np.where(frequent, 0, 2) + np.where(steady, 0, 1)
    return np.where(count > 0, codes, PATTERNS.index(DemandPattern.NONE)).astype(np.int64)
