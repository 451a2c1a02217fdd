"""Items of the demo world and the demand behind them."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from evals.worlds.calibration import Calibration
from evals.worlds.truth import DemandLaw
from tools.domain.catalogue import Autonomy, Criticality, Item

FAMILIES: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("Gloves and gowns", ("Nitrile gloves M", "Nitrile gloves L", "Isolation gown", "Surgical mask", "Overshoes"), 9.0),
    ("Syringes", ("Syringe 2 ml", "Syringe 5 ml", "Syringe 10 ml", "Insulin syringe", "Safety needle"), 14.0),
    ("Infusion", ("Infusion set", "Saline 500 ml", "Cannula 18G", "Cannula 20G", "Extension line"), 22.0),
    ("Rapid tests", ("Antigen test", "Malaria test", "Pregnancy test", "Glucose strips", "Urine strips"), 35.0),
    ("Reagents", ("Buffer solution", "Enzyme mix", "Staining kit", "Calibrator", "Control serum"), 85.0),
    ("Filters", ("Breathing filter", "Syringe filter", "Water filter", "HEPA cartridge", "Pre-filter"), 48.0),
    ("Wound care", ("Gauze", "Hydrogel dressing", "Foam dressing", "Adhesive tape", "Suture kit"), 12.0),
    ("Devices", ("Pulse oximeter", "Thermometer", "Pressure cuff", "Suction pump", "Infusion pump"), 160.0),
)
"""Family, products, and typical unit value in USD (invented)."""

PATTERNS = (
    "smooth",
    "seasonal",
    "erratic",
    "smooth",
    "intermittent",
    "smooth",
    "lumpy",
    "erratic",
    "seasonal",
    "lumpy",
)
SERVICE = {Criticality.A: 0.98, Criticality.B: 0.95, Criticality.C: 0.90}


@dataclass(frozen=True)
class Good:
    """An item and the demand behind it."""

    item: Item
    demand: DemandLaw


def make_goods(rng: np.random.Generator, figures: Calibration, count: int, as_of: date) -> list[Good]:
    """`count` goods; more than the catalogue holds are further sizes of the same products."""
    products = [(family, name, value) for row in range(5) for family, names, value in FAMILIES for name in [names[row]]]
    return [_good(rng, figures, number, products[number % len(products)], as_of) for number in range(count)]


def _good(
    rng: np.random.Generator, figures: Calibration, number: int, product: tuple[str, str, float], as_of: date
) -> Good:
    family, name, typical = product
    size = f", size {number // 40 + 1}" if number >= 40 else ""
    value = round(float(typical * rng.lognormal(0.0, 0.35)), 2)
    spend = float(np.clip(rng.lognormal(np.log(900), 0.7), 150, 3000))
    criticality = Criticality.A if spend > 1400 else Criticality.B if spend > 600 else Criticality.C
    item_id = f"I{number + 1:03d}"
    item = Item(
        item_id=item_id,
        description=name + size,
        family=family,
        uom="pack",
        unit_value=value,
        currency="USD",
        holding_rate_per_year=0.22,
        stockout_cost_per_unit=round(value * 0.25, 2) if number % 10 == 3 else None,
        service_level_target=None if number % 10 == 3 else SERVICE[criticality],
        criticality=criticality,
        storage_volume=round(float(rng.uniform(0.002, 0.02)), 4),
        shelf_life_days=540 if family == "Reagents" else None,
        autonomy=_autonomy(number, criticality),
    )
    return Good(item, _law(rng, figures, PATTERNS[number % len(PATTERNS)], spend / value, as_of))


def _autonomy(number: int, criticality: Criticality) -> Autonomy:
    """One item in twenty is only watched; the least critical, and one in twenty besides, are left to the program."""
    if number % 20 == 12:
        return Autonomy.SHADOW
    return Autonomy.AUTO if criticality is Criticality.C or number % 20 == 1 else Autonomy.RECOMMEND


def _law(rng: np.random.Generator, figures: Calibration, pattern: str, mean: float, as_of: date) -> DemandLaw:
    sizes = figures.demand["smooth" if pattern == "seasonal" else pattern]
    return DemandLaw(
        pattern=pattern,
        weekly_mean=mean,
        size_cv=float(rng.uniform(sizes.cv_low, sizes.cv_high)),
        probability=1 / sizes.interval,
        amplitude=figures.season_amplitude if pattern == "seasonal" else 0.0,
        phase_weeks=float(rng.uniform(0, 52)),
        growth_per_year=float(rng.uniform(-1, 1) * figures.growth_per_year),
        reference=as_of,
    )
