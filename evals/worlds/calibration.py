"""The figures that generated worlds are calibrated to, read from calibration.yaml, where each names its source."""

from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lane(_Figures):
    """How a kind of supplier delivers and prices."""

    lead_median_days: float
    lead_cv: float
    price_index: float


class Lateness(_Figures):
    """How often promises are missed."""

    late_share: float


class Sizes(_Figures):
    """Weekly demand of one pattern: spread of the sizes above zero, and mean weeks between demands."""

    cv_low: float
    cv_high: float
    interval: float


class FreightShares(_Figures):
    """Freight per unit over unit price by transport mode."""

    ocean: float
    air: float
    truck: float


class QuantityDiscount(_Figures):
    """Price taken off for an order of four and of ten times the usual minimum."""

    fourfold: float
    tenfold: float


class Range(_Figures):
    """Bounds of a uniform draw."""

    low: float
    high: float


class Calibration(_Figures):
    """All figures."""

    makers: tuple[Lane, ...]
    regional: Lane
    wholesale: Lane
    expedite: Lane
    lateness: Lateness
    freight_share_of_price: FreightShares
    quantity_discount: QuantityDiscount
    demand: dict[str, Sizes]
    season_amplitude: float
    growth_per_year: float
    supplier_floor: Range


def load_calibration() -> Calibration:
    """The figures that ship with the package."""
    text = files("evals.worlds").joinpath("calibration.yaml").read_text(encoding="utf-8")
    return Calibration.model_validate(yaml.safe_load(text))
