"""Demand patterns after Syntetos, Boylan and Croston (2005): intermittence against variability of sizes."""

from enum import StrEnum

from tools.domain.arrays import FloatArray

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


def classify(quantities: FloatArray) -> DemandPattern:
    """Pattern of a bucketed series (n,): mean interval between demands and squared CV of their sizes."""
    sizes = quantities[quantities > 0]
    if sizes.size == 0:
        return DemandPattern.NONE
    interval = quantities.size / sizes.size
    cv2 = float((sizes.std() / sizes.mean()) ** 2)
    if interval < ADI_CUT:
        return DemandPattern.SMOOTH if cv2 < CV2_CUT else DemandPattern.ERRATIC
    return DemandPattern.INTERMITTENT if cv2 < CV2_CUT else DemandPattern.LUMPY
