"""Which steps each day of the week is made of."""

from collections.abc import Callable, Sequence

from scripts.week import events, work
from scripts.week.checks.findings import Finding
from scripts.week.company.office import Office

Step = Callable[[Office], list[Finding]]
"""A step as people take it; what it finds wrong itself."""
MORNING: tuple[Step, ...] = (work.nightly_plan, work.sign_orders)
EVENING: tuple[Step, ...] = (work.look_at_everything,)
EVENTS: Sequence[tuple[Step, ...]] = (
    (work.edit_an_order, work.reject_an_order, work.plan_decided_items_again),
    (events.a_delivery_is_late, events.two_plan_at_once, events.months_end, events.restart),
    (events.a_supplier_is_down, events.halt_and_resume, events.take_an_order_back),
    (work.edit_an_order, work.plan_decided_items_again, events.power_cut, events.figures_are_looked_up),
    (work.reject_an_order, events.a_mail_tells_of_a_delay, work.plan_decided_items_again, events.restart),
    (work.edit_an_order, work.reject_an_order, events.power_cut, events.halt_and_resume),
    (events.two_plan_at_once, events.take_an_order_back, events.figures_are_looked_up),
)
"""Beside morning and evening, by day: from Monday, whose morrow is the last of a month, to Sunday."""


def script(days: int) -> list[tuple[int, Step]]:
    """Every step with its day, counted from 1; after a week the days come again."""
    steps: list[tuple[int, Step]] = [(0, events.found_the_company)]
    for day in range(1, days + 1):
        steps += [(day, step) for step in (*MORNING, *EVENTS[(day - 1) % len(EVENTS)], *EVENING)]
    return [*steps, (days, events.close_the_week)]


def name_of(step: Step) -> str:
    """As the time table calls it."""
    return step.__name__.replace("_", " ")
