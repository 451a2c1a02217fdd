"""Items with one source each, and what a plan by reorder points shows of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.views.orders import LineView, VerdictView
from graph.views.plans import OptionView, OutlookView, RiskView

SAFETY_DAYS = 7


@dataclass(frozen=True)
class Stocked:
    """An item, its stock, daily demand and one source."""

    item_id: str
    name: str
    on_hand: float
    daily: float
    lead_days: int
    pack: int
    price: float
    supplier: str


ITEMS = (
    Stocked("I-101", "Hydraulic seal 40 mm", 120, 22.0, 18, 50, 4.2, "Northwind Seals"),
    Stocked("I-102", "Bearing 6204", 900, 35.0, 12, 100, 2.9, "Arno Bearings"),
    Stocked("I-103", "Control board rev C", 14, 3.5, 34, 10, 86.0, "Shenlan Electronics"),
    Stocked("I-104", "Gasket sheet 2 mm", 60, 5.0, 9, 20, 11.5, "Northwind Seals"),
    Stocked("I-105", "Servo motor 400 W", 6, 1.4, 41, 4, 312.0, "Tokai Motion"),
    Stocked("I-106", "<b>Cable</b> 3x1.5", 4_000, 90.0, 8, 500, 0.7, "Kabelwerk Ost"),
)


def many_items(number: int) -> tuple[Stocked, ...]:
    """The usual items and more that are due, each with a supplier of its own."""
    more = (
        Stocked(f"M-{n:04d}", f"Fitting no. {n}", 10, 5.0, 14, 10, 3.0 + n % 7, f"Maker{n:04d} Works")
        for n in range(number)
    )
    return (*ITEMS, *more)


def reorder_point(item: Stocked) -> float:
    return item.daily * (item.lead_days + SAFETY_DAYS)


def is_due(item: Stocked) -> bool:
    return item.on_hand < reorder_point(item)


def quantity_of(item: Stocked) -> float:
    short = reorder_point(item) + item.daily * 30 - item.on_hand
    return float(-(-short // item.pack) * item.pack)


def line_of(run_id: str, number: int, item: Stocked) -> LineView:
    quantity = quantity_of(item)
    return LineView(
        line_id=f"L-{number:02d}",
        order_key=f"{run_id}:{item.supplier.split()[0].lower()}",
        intent="place",
        item_id=item.item_id,
        item=item.name,
        uom="each",
        supplier_id=item.supplier.split()[0].upper(),
        supplier=item.supplier,
        offer_id=f"OF-{item.item_id}",
        quantity=quantity,
        unit_price=item.price,
        value=quantity * item.price,
        landed_cost=quantity * item.price * 1.06,
        currency="EUR",
        order_date="2026-06-30",
        expected_arrival=(datetime(2026, 6, 30) + timedelta(days=item.lead_days)).date().isoformat(),
        status="waiting",
        sentence=f"Order {quantity:,.0f} each from {item.supplier} now: a delivery takes {item.lead_days} days.",
        reasons=("It is cheaper than the next best way to buy it.",),
        policy="(R, S)",
        formula=f"{item.daily:g} x ({item.lead_days} + 7 + 30) - {item.on_hand:g}, in packs of {item.pack}",
        figures={
            "reorder_point": reorder_point(item),
            "on_hand": item.on_hand,
            "daily_demand": item.daily,
            "extra_cost_of_ordering_nothing": round(item.daily * SAFETY_DAYS * item.price, 2),
            "moq": float(item.pack),
            "order_multiple": float(item.pack),
        },
        notes=("Next best source: 6 % dearer, 9 days faster.",),
        binding=(f"pack of {item.pack}",),
        verdicts=(
            VerdictView(
                gate="policy",
                rule="order_value",
                subject=item.item_id,
                effect="require_approval",
                reason="The order is above the limit for autonomous orders.",
                limit="1000",
                actual=f"{quantity * item.price:.0f}",
            ),
        ),
    )


def options_of(lines: Sequence[LineView]) -> tuple[OptionView, ...]:
    value = sum(line.value for line in lines)
    return tuple(
        OptionView(
            option_id=f"all:{title}",
            group="all",
            title=title,
            order_value=value * factor,
            expected_cost=value * factor * 1.04,
            fill_rate=fill,
            stockout_probability=1 - fill,
            risk_exposure=value * 0.1,
            suppliers=tuple(sorted({line.supplier for line in lines})),
            chosen=chosen,
            reason="Lowest expected cost above the service floor." if chosen else "",
        )
        for title, factor, fill, chosen in (("lowest cost", 1.0, 0.962, True), ("highest service", 1.18, 0.991, False))
    )


def outlook_of(item: Stocked) -> OutlookView:
    start = datetime(2026, 6, 30)
    weekly = item.daily * 7
    past = tuple(weekly * (1 + 0.2 * ((n * 7) % 5 - 2) / 2) for n in range(26))
    ahead = range(1, 14)
    stock = [item.on_hand - weekly * n for n in ahead]
    return OutlookView(
        item_id=item.item_id,
        item=item.name,
        on_hand=item.on_hand,
        inventory_position=item.on_hand,
        reorder_point=reorder_point(item),
        safety_stock=item.daily * SAFETY_DAYS,
        days_of_cover=item.on_hand / item.daily,
        stockout_probability=min(1.0, max(0.0, 1 - item.on_hand / reorder_point(item))),
        fill_rate=0.96,
        reason="Position is below the reorder point." if is_due(item) else "Position covers the lead time.",
        forecast_model="seasonal mean",
        demand_pattern="smooth",
        history_dates=tuple((start - timedelta(weeks=26 - n)).date().isoformat() for n in range(26)),
        history=past,
        dates=tuple((start + timedelta(weeks=n)).date().isoformat() for n in ahead),
        demand_p10=tuple(weekly * 0.8 for _ in ahead),
        demand_p50=tuple(weekly for _ in ahead),
        demand_p90=tuple(weekly * 1.25 for _ in ahead),
        stock_p10=tuple(level - weekly * 0.2 * n for n, level in zip(ahead, stock, strict=True)),
        stock_p50=tuple(stock),
        stock_p90=tuple(level + weekly * 0.2 * n for n, level in zip(ahead, stock, strict=True)),
    )


def risk_of(item: Stocked) -> RiskView:
    cover = item.on_hand / item.daily
    return RiskView(
        node_id=item.supplier.split()[0].upper(),
        item_ids=(item.item_id,),
        severity="high" if cover < item.lead_days / 2 else "medium",
        summary=f"{item.name} covers {cover:.0f} days; {item.supplier} needs {item.lead_days}.",
        hedge="Expedite part of the order.",
        days_of_cover=cover,
        money_at_risk=item.daily * (item.lead_days - cover) * item.price,
    )


def edited(line: LineView, edits: Mapping[str, float]) -> LineView:
    quantity = edits.get(line.line_id, line.quantity)
    return line.model_copy(update={"quantity": quantity, "value": quantity * line.unit_price})
