"""The story of a line: what other quantities, sources, terms and limits would mean."""

from collections.abc import Callable, Sequence

from graph.views.line_stories import LineStoryView
from graph.views.orders import LineView
from terminal.figures import amount, share, units
from terminal.screen import bullet, heading, table
from tools.domain.errors import JitError

WEIGHED = ("place", "expedite", "switch_supplier")
"""Intents that have a quantity to weigh."""
MOST_TOLD = 4
"""Lines of a subject whose stories are told; the rest by name."""
BAR = 24
NAMES = {
    "reorder_point": "reorder level",
    "safety_stock": "safety stock",
    "newsvendor_order": "newsvendor order",
    "economic_order_quantity": "economic order quantity",
}


def stories_of(
    lines: Sequence[LineView], subject: str, told: Callable[[LineView], LineStoryView]
) -> list[LineStoryView | JitError]:
    """Stories of the lines that an item or line id names; an error where one cannot be told."""
    wanted = subject.casefold()
    named = [line for line in lines if wanted in (line.item_id.casefold(), line.line_id.casefold())]
    found = list[LineStoryView | JitError]()
    for line in [line for line in named if line.intent in WEIGHED and not line.under_way][:MOST_TOLD]:
        try:
            found.append(told(line))
        except JitError as error:
            found.append(error)
    return found


def show_story(story: LineStoryView | JitError) -> None:
    """Cost curve, next best, limits, projected stock, textbook quantities and better terms."""
    if isinstance(story, JitError):
        bullet(f"{story.message} {story.remedy}")
        return
    heading(f"{story.item_id}: what else line {story.line_id} could be ({story.currency} over the horizon)")
    _curve(story)
    bullet(story.curve_in_words)
    bullet(story.next_best)
    for limit in story.limits:
        bullet(limit)
    bullet(
        f"Stock-out before an order of the next review can arrive, around {story.next_opportunity}: "
        f"{share(story.stockout_probability, 0)}; without this line, later orders making up for it,"
        f" {share(story.stockout_probability_without, 0)}."
    )
    _stock(story)
    _textbook(story)
    _terms(story)


def _curve(story: LineStoryView) -> None:
    planned = next(point.total for point in story.curve if point.planned)
    low, high = (pick(point.total for point in story.curve) for pick in (min, max))
    rows = [
        (
            units(point.quantity),
            amount(point.total),
            "planned" if point.planned else f"{point.total - planned:+,.2f}",
            amount(point.purchase + point.freight + point.ordering),
            amount(point.holding),
            amount(point.shortage),
            "█" * round(BAR * (point.total - low) / max(high - low, 1e-9)),
        )
        for point in story.curve
    ]
    names = ("quantity", "expected cost", "against plan", "buying", "holding", "shortage", "above the least")
    table(names, rows, right=names[:-1])


def _stock(story: LineStoryView) -> None:
    """Projected stock in quantiles, at the ends of up to eight periods."""
    if not story.dates:
        return
    step = max(1, -(-len(story.dates) // 8))
    rows = [
        (
            f"{story.dates[at]}",
            *(units(round(band[at])) for band in (story.stock_p05, story.stock_p25, story.stock_p50)),
            *(units(round(band[at])) for band in (story.stock_p75, story.stock_p95)),
        )
        for at in range(0, len(story.dates), step)
    ]
    names = ("stock at the end of", "5 %", "25 %", "50 %", "75 %", "95 %")
    table(names, rows, right=names[1:])


def _textbook(story: LineStoryView) -> None:
    if story.textbook:
        rows = [
            (NAMES.get(one.name, one.name), units(round(one.textbook)), units(round(one.ours)), one.why)
            for one in story.textbook
        ]
        table(("", "textbook", "ours", "why they differ"), rows, right=("textbook", "ours"), fold="why they differ")


def _terms(story: LineStoryView) -> None:
    gained = [term for term in story.terms if term.value > 0.005]
    bullet(story.reservation_in_words)
    for term in gained:
        bullet(f"{term.words[0].upper()}{term.words[1:]} would be worth {amount(term.value)} {story.currency}.")
