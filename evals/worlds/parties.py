"""Suppliers of the demo world, their offers, and the network behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.worlds.calibration import Calibration, Lane
from evals.worlds.goods import Good
from evals.worlds.truth import LeadTimeLaw
from tools.domain.catalogue import Link, Offer, PriceBreak, Relation, Supplier, SupplierStatus

SITE = "DC1"
MAKERS = (
    "Alder Medical",
    "Birch Polymers",
    "Cedar Diagnostics",
    "Dogwood Devices",
    "Elm Hospital Supply",
    "Fir Laboratories",
    "Ginkgo Healthcare",
)
REGIONAL = ("Hazel Med", "Ivy Clinical", "Juniper Care", "Katsura Plastics", "Larch Instruments")
WHOLESALE = ("Maple Wholesale", "Nutmeg Trading", "Oak Express")
COUNTRIES = ("CN", "IN", "MY", "CN", "VN", "IN", "KR", "US", "US", "MX", "CA", "US", "US", "CA", "US")
PORTS = {
    "CN": "port:Shanghai",
    "IN": "port:Nhava Sheva",
    "MY": "port:Port Klang",
    "VN": "port:Hai Phong",
    "KR": "port:Busan",
    "MX": "port:Veracruz",
}
RAW = ("raw:Nitrile latex", "raw:Polypropylene", "raw:Antibodies", "raw:Steel tube", "raw:Electronics")
RAW_COUNTRIES = ("MY", "CN", "DE", "IN", "CN")
ON_HOLD = "S10"
SOLE_SOURCE_ITEM = 4
"""Number of the item that only one maker sells."""
EXPRESS = "S15"


@dataclass(frozen=True)
class Party:
    """A supplier, how it delivers and prices, and its hidden floor."""

    supplier: Supplier
    kind: str
    lane: Lane
    mode: str
    floor_fraction: float


def make_parties(rng: np.random.Generator, figures: Calibration) -> list[Party]:
    """Seven makers overseas, five nearer, three wholesalers, of whom the last delivers fast at a premium."""
    lanes = [("maker", lane, "ocean") for lane in figures.makers]
    lanes += [("regional", figures.regional, "truck")] * len(REGIONAL)
    lanes += [("wholesale", figures.wholesale, "truck")] * 2 + [("express", figures.expedite, "air")]
    found = list[Party]()
    for number, (kind, lane, mode) in enumerate(lanes):
        supplier_id = f"S{number + 1:02d}"
        supplier = Supplier(
            supplier_id=supplier_id,
            name=(*MAKERS, *REGIONAL, *WHOLESALE)[number],
            country=COUNTRIES[number],
            parent_id="S01" if supplier_id == "S04" else None,
            status=SupplierStatus.ON_HOLD if supplier_id == ON_HOLD else SupplierStatus.ACTIVE,
            risk_score=round(float(rng.uniform(0.25, 0.6) if kind == "maker" else rng.uniform(0.05, 0.3)), 2),
            min_order_value=500.0 if kind == "maker" else 0.0,
        )
        floor = float(rng.uniform(figures.supplier_floor.low, figures.supplier_floor.high))
        found.append(Party(supplier, kind, lane, mode, floor))
    return found


def make_offers(
    rng: np.random.Generator, figures: Calibration, goods: Sequence[Good], parties: Sequence[Party]
) -> list[tuple[Offer, LeadTimeLaw]]:
    """One to four offers an item, each with its hidden lead-time law."""
    kinds = {kind: [p for p in parties if p.kind == kind] for kind in ("maker", "regional", "wholesale", "express")}
    made = list[tuple[Offer, LeadTimeLaw]]()
    for number, good in enumerate(goods):
        makers = [kinds["maker"][number % 7]]
        others = list[Party]()
        if number != SOLE_SOURCE_ITEM:
            if number % 3 == 0:
                makers.append(kinds["maker"][(number + 3) % 7])
            others.append(kinds["regional"][number % 5])
            if number % 4 == 1:
                others.append(kinds["wholesale"][number % 2])
            if number % 2 == 0 or others[0].supplier.supplier_id == ON_HOLD:
                others.append(kinds["express"][0])
        made.extend(_offer(rng, figures, good, party, number) for party in (*makers, *others))
    return sorted(made, key=lambda pair: pair[0].offer_id)


def _offer(
    rng: np.random.Generator, figures: Calibration, good: Good, party: Party, number: int
) -> tuple[Offer, LeadTimeLaw]:
    value, mean = good.item.unit_value, good.demand.weekly_mean
    price = round(value * party.lane.price_index * float(rng.uniform(0.96, 1.05)), 2)
    lane_law = LeadTimeLaw(party.lane.lead_median_days * float(rng.uniform(0.85, 1.15)), party.lane.lead_cv)
    weeks_of_moq = {"maker": 2.0, "regional": 1.0, "wholesale": 0.25, "express": 0.1}[party.kind]
    multiple = float(rng.choice([1, 5, 10])) if mean > 20 else 1.0
    moq = max(multiple, multiple * round(mean * weeks_of_moq / multiple))
    first, second = (max(moq, multiple * round(mean * weeks / multiple)) for weeks in (8, 20))
    discount = figures.quantity_discount
    breaks = (PriceBreak(quantity=first, unit_price=round(price * (1 - discount.fourfold), 2)),)
    if second > first:
        breaks += (PriceBreak(quantity=second, unit_price=round(price * (1 - discount.tenfold), 2)),)
    share = getattr(figures.freight_share_of_price, party.mode)
    offer = Offer(
        item_id=good.item.item_id,
        supplier_id=party.supplier.supplier_id,
        site_id=SITE,
        unit_price=price,
        price_breaks=breaks if party.kind == "maker" or number % 3 == 1 else (),
        moq=float(moq),
        order_multiple=multiple,
        max_quantity=float(multiple * round(mean * 52 / multiple + 1)),
        lead_time_days=float(round(lane_law.median_days)),
        capacity_per_week=float(max(moq, round(mean * 26))) if number % 8 == 2 and party.kind == "maker" else None,
        fixed_order_cost={"maker": 180.0, "regional": 75.0, "wholesale": 40.0, "express": 60.0}[party.kind],
        freight_per_unit=round(price * share, 4),
        transport_mode=party.mode,
        expedite=party.kind == "express",
    )
    return offer, lane_law


def make_links(parties: Sequence[Party], goods: Sequence[Good]) -> list[Link]:
    """Supplier to plants, plants to countries, ports and raw-material suppliers, raw materials to countries."""
    found = [Link(from_id=raw, to_id=f"country:{c}", relation=Relation.LOCATED_IN) for raw, c in _raw_places()]
    for number, party in enumerate(parties):
        supplier_id, country = party.supplier.supplier_id, party.supplier.country
        if party.kind in ("wholesale", "express"):
            found.append(Link(from_id=supplier_id, to_id=f"country:{country}", relation=Relation.LOCATED_IN))
            continue
        for place in range(2 if number % 3 == 1 else 1):
            plant = f"plant:{supplier_id}-{'AB'[place]}"
            home = country if place == 0 else "VN"
            found.append(Link(from_id=supplier_id, to_id=plant, relation=Relation.MADE_AT))
            found.append(Link(from_id=plant, to_id=f"country:{home}", relation=Relation.LOCATED_IN))
            found.append(Link(from_id=plant, to_id=RAW[number % len(RAW)], relation=Relation.MADE_FROM))
            if home in PORTS:
                found.append(Link(from_id=plant, to_id=PORTS[home], relation=Relation.SHIPS_THROUGH))
    for good in goods[: len(RAW)]:
        raw = RAW[int(good.item.item_id[1:]) % len(RAW)]
        found.append(Link(from_id=good.item.item_id, to_id=raw, relation=Relation.MADE_FROM, quantity=0.4))
    return sorted(found, key=lambda link: (link.from_id, link.to_id, link.relation))


def _raw_places() -> list[tuple[str, str]]:
    return list(zip(RAW, RAW_COUNTRIES, strict=True))
