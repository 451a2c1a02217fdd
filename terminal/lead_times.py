"""Lead times on the terminal: suppliers against their quotes, offers by day, open orders with their arrival."""

from collections.abc import Sequence

from rich.text import Text

from graph.views.lead_times import LeadTimesView, OfferLeadTimesView, OpenOrderView, SupplierLeadTimesView, chance
from terminal.fan import SPARKS
from terminal.figures import count, program, share, units
from terminal.screen import aligned, bullet, clean, heading, pairs, say, say_whole, screen, shorten, table, width

ROWS_SHOWN = 40
LEVELS = ("quoted", "taken", "bias", "seen", "open", "past due")
SUPPLIER_COLUMNS = ("id", "supplier", *LEVELS, "oldest", "regime", "on time", "yield")
NAME_LENGTH = 24
QUOTED = "│"
NOTHING_YET = 0.005
"""Probability below which a curve is left blank."""
MOST_COLUMNS = 61
PLACES = 4
"""Days that are written under the curves."""


def show_lead_times(view: LeadTimesView, *, everything: bool = False) -> None:
    """All suppliers in a table, or one subject with sentences, offers, curves and open orders."""
    if view.kind == "all":
        _show_suppliers(view, everything=everything)
        return
    say(f"{view.subject} {view.name}".rstrip(), "bold")
    for row in view.suppliers:
        for sentence in row.sentences:
            bullet(sentence)
    _show_offers(view, everything=everything)
    _show_orders(view, everything=everything)
    heading("Where it comes from")
    pairs([("estimate version", view.estimate_version), ("dataset", f"{view.dataset_version}, {view.as_of}")])


def _show_suppliers(view: LeadTimesView, *, everything: bool) -> None:
    shown = view.suppliers if everything else view.suppliers[:ROWS_SHOWN]
    _lines(SUPPLIER_COLUMNS, [_supplier_cells(row) for row in shown], right=range(2, 8))
    if len(shown) < len(view.suppliers):
        say_whole(f"{len(view.suppliers) - len(shown)} more: {program()} lead-times --all")
    say(
        "Days quoted and taken, the largest bias first; `oldest` is the open order that has outlasted the largest "
        "share of its own lead times; `regime` the day since when it delivers at another level; `on time` is by "
        f"promise dates, where they can be believed. {view.estimate_version}, {view.as_of}.",
        "dim",
    )
    if shown:
        say_whole(f"{program()} lead-times {shown[0].supplier_id} tells more of one; items and open orders too.", "dim")


def _lines(names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    """Aligned rows under their names; the second column gives way where they are too long."""
    header, *lines = aligned([names, *rows], right=right, give=1)
    say_whole(header, "bold")
    for line in lines:
        say_whole(line)


def _supplier_cells(row: SupplierLeadTimesView) -> tuple[str, ...]:
    late = row.latest_older_than
    regime = f"{row.regime_since} ×{row.regime_factor:.2g}" if row.regime_since and row.regime_factor else ""
    return (
        row.supplier_id,
        row.supplier,
        "" if row.quoted_days is None else f"{row.quoted_days:.0f}",
        "" if row.taken_days is None else f"{row.taken_days:.0f}",
        "unproven" if row.bias is None else signed(row.bias),
        str(row.receipts),
        str(row.open_orders),
        str(row.overdue_orders or ""),
        "" if late is None else f"{row.latest_age_days} d, {chance(late)}",
        regime,
        _on_time(row),
        "" if row.mean_yield is None else share(row.mean_yield, 0),
    )


def _on_time(row: SupplierLeadTimesView) -> str:
    if row.promise_trust == "rebaselined":
        return "moved"
    return "" if row.on_time_share is None or row.promise_trust != "trusted" else share(row.on_time_share, 0)


def signed(value: float) -> str:
    """A share over or under, with its sign."""
    return f"{round(value, 2) + 0.0:+.0%}".replace("%", " %")


def _show_offers(view: LeadTimesView, *, everything: bool) -> None:
    heading("Offers, days from order to receipt")
    if not view.offers:
        say("No offer is known.", indent=2)
        return
    shown = view.offers if everything else view.offers[:ROWS_SHOWN]
    names = ("offer", "quoted", "10 %", "50 %", "90 %", "bias", "seen", "from", "yield")
    rows = [
        (
            _label(offer, view),
            "none" if offer.quoted_days is None else units(offer.quoted_days),
            str(offer.p10_days),
            str(offer.p50_days),
            str(offer.p90_days),
            "" if offer.bias is None else signed(offer.bias),
            str(offer.observations),
            offer.source,
            "" if offer.mean_yield is None else share(offer.mean_yield, 0),
        )
        for offer in shown
    ]
    table(names, rows, right=names[1:7])
    for fallback in dict.fromkeys(offer.fallback for offer in shown if offer.fallback):
        bullet(f"{_count_of(fallback, shown)}: {fallback}", "yellow")
    if len(shown) < len(view.offers):
        say_whole(f"{len(view.offers) - len(shown)} more: {program()} lead-times {view.subject} --all")
    _draw_curves(view, shown)


def _count_of(fallback: str, offers: Sequence[OfferLeadTimesView]) -> str:
    return count(sum(offer.fallback == fallback for offer in offers), "offer")


def _label(offer: OfferLeadTimesView, view: LeadTimesView) -> str:
    """What tells the offer from the others of its view."""
    parts = [] if view.kind == "supplier" else [shorten(offer.supplier, NAME_LENGTH)]
    parts += [] if view.kind == "item" else [offer.item_id]
    parts += [offer.transport_mode] if offer.transport_mode else []
    if len({one.site_id for one in view.offers}) > 1:
        parts.append(offer.site_id)
    return ", ".join([*parts, "expedited"] if offer.expedite else parts)


def _draw_curves(view: LeadTimesView, offers: Sequence[OfferLeadTimesView]) -> None:
    """One line of bars per offer: the probability of having arrived by each day, on one axis of days."""
    heading("Probability of arrival by day")
    labels = [shorten(_label(offer, view), NAME_LENGTH + 8) for offer in offers]
    longest = max(map(len, labels))
    columns = max(min(len(view.days), MOST_COLUMNS, width() - longest - 4), 2)
    places = [round(n * (len(view.days) - 1) / (columns - 1)) for n in range(columns)]
    days = [view.days[place] for place in places]
    for label, offer in zip(labels, offers, strict=True):
        bars = "".join(curve_letters([offer.arrived[place] for place in places], days, offer.quoted_days))
        line = Text.assemble(f"  {clean(label):<{longest}}  ", (bars, "blue"))
        line.rstrip()
        screen().print(line, soft_wrap=True)
    say_whole(f"  {'':<{longest}}  {axis(days)}", "dim")
    say(f"Days after ordering; {QUOTED} is the day quoted.", "dim", indent=2)


def curve_letters(arrived: Sequence[float], days: Sequence[int], quoted_days: float | None) -> list[str]:
    """Bars from blank (not yet) to full (arrived), with a mark at the day quoted."""
    letters = [
        " " if chance_now < NOTHING_YET else SPARKS[min(int(chance_now * len(SPARKS)), len(SPARKS) - 1)]
        for chance_now in arrived
    ]
    if quoted_days is not None and quoted_days <= days[-1]:
        letters[next(place for place, day in enumerate(days) if day >= quoted_days)] = QUOTED
    return letters


def axis(days: Sequence[int]) -> str:
    """The days at even distances, each beginning under its column, the last one ending under its own."""
    line = [" "] * len(days)
    for n in range(PLACES):
        place = round(n * (len(days) - 1) / PLACES)
        line[place : place + len(str(days[place]))] = str(days[place])
    last = str(days[-1])
    line[len(days) - len(last) - 1 :] = f" {last}"
    return "".join(line)[: len(days)]


def _show_orders(view: LeadTimesView, *, everything: bool) -> None:
    heading(f"Open orders at {view.as_of}")
    if not view.orders:
        say("None.", indent=2)
        return
    shown = view.orders if everything else view.orders[:ROWS_SHOWN]
    about = "item" if view.kind == "supplier" else "supplier"
    names = ("order", about, "quantity", "age", "older", "due", "by then", "expected", "10 %", "90 %")
    _lines(names, [_order_cells(order, view.kind) for order in shown], right=(2, 3, 4, 6))
    if len(shown) < len(view.orders):
        say_whole(f"{len(view.orders) - len(shown)} more: {program()} lead-times {view.subject} --all")
    for fallback in dict.fromkeys(order.fallback for order in shown if order.fallback):
        ids = [order.order_id for order in shown if order.fallback == fallback]
        bullet(f"{count(len(ids), 'order')} ({shorten(', '.join(ids), 40)}): {fallback}", "yellow")
    say(
        "`older` is the share of lead times that the order's age has outlasted; `by then` the chance of arrival by "
        "the day it is due, given that it has not come yet, and the last two the days between which it comes in 8 "
        "of 10 cases; q: due by the quote, as no day is promised.",
        "dim",
    )


def _order_cells(order: OpenOrderView, kind: str) -> tuple[str, ...]:
    due = "" if order.due_date is None else f"{order.due_date}{' q' if order.due_by == 'quoted' else ''}"
    by_then = "" if order.due_probability is None else chance(order.due_probability)
    return (
        order.order_id,
        order.item_id if kind == "supplier" else order.supplier,
        units(order.quantity),
        f"{order.age_days} d",
        "" if order.older_than is None else chance(order.older_than),
        due,
        f"{order.overdue_days} d past" if order.overdue_days else by_then,
        str(order.expected_date or "not known"),
        str(order.p10_date or ""),
        str(order.p90_date or ""),
    )
