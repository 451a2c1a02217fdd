"""Editing the quantities of an order, with its limits and its new value beside each."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui import ui

from graph.views.orders import ApprovalView, EditedLineView, EditPreviewView, LineView
from web.pages.widgets.parts import action, dialog_title
from web.pages.widgets.wording import money, quantity

Save = Callable[[str, dict[str, float]], Awaitable[None]]
Price = Callable[[dict[str, float]], Awaitable[EditPreviewView | None]]
OFF_MULTIPLE = 1e-6
REMEMBERED = (
    "The quantity is remembered: a later plan proposes another one only when quantity, price or risk changed"
    " materially, or after a new alert."
)


class EditDialog:
    """Says at each line what is wrong with its quantity, and saves only what the gates can let pass.

    `price` tells what the quantities cost, by the rule that saves them.
    """

    def __init__(self, approval: ApprovalView, save: Save, price: Price) -> None:
        self._approval = approval
        self._save = save
        self._price = price
        self._asked = 0
        self._boxes: dict[str, ui.number] = {}
        self._values: dict[str, ui.label] = {}
        with ui.dialog(value=True) as self._dialog, ui.card().classes("dialog"):
            dialog_title(f"Edit the order to {approval.supplier}")
            for line in approval.lines:
                self._line(line)
            self._total = ui.label().classes("strong").props("role=status")
            ui.label(
                "0 drops a line. The edited order passes the gates again; who edits it proposes it, so that somebody"
                " else signs."
            ).classes("fine")
            ui.label(REMEMBERED).classes("fine")
            self._reason = ui.textarea("Reason (optional)").props("outlined autogrow").classes("fill")
            with ui.row().classes("dialog-actions"):
                action("Cancel", self._dialog.close)
                self._button = action("Save quantities", self._submit, kind="main")
        self._dialog.on("hide", self._dialog.delete)
        self._write(None)
        self._button.disable()

    def _line(self, line: LineView) -> None:
        with ui.row().classes("edit-row"):
            box = ui.number(
                f"{line.item_id} {line.item} ({line.uom})",
                value=line.quantity,
                min=0,
                on_change=self._show,
                validation=lambda typed: quantity_fault(line, typed) or None,
            )
            box.props(f'outlined dense hint="{limits_of(line)}"').classes("edit-box")
            self._values[line.line_id] = ui.label().classes("edit-value")
        self._boxes[line.line_id] = box

    async def _show(self) -> None:
        """New prices and values beside the lines, and the total; an answer that a later change overtook is dropped."""
        self._asked += 1
        mine, edits = self._asked, changed_quantities(self._approval.lines, self._typed())
        self._button.disable()
        found = await self._price(edits) if edits else None
        if mine == self._asked and not self._dialog.is_deleted:
            self._write(found)
            self._button.set_enabled(found is not None)

    def _write(self, found: EditPreviewView | None) -> None:
        priced = {line.line_id: line for line in found.lines} if found else {}
        for line in self._approval.lines:
            self._values[line.line_id].set_text(_value_in_words(line, priced.get(line.line_id)))
        before = money(self._approval.value, self._approval.currency)
        value = f"New value {money(found.value, found.currency)}, was {before}." if found else f"Value {before}."
        self._total.set_text(value)

    def _typed(self) -> dict[str, float | None]:
        return {key: box.value for key, box in self._boxes.items()}

    async def _submit(self) -> None:
        edits = changed_quantities(self._approval.lines, self._typed())
        if edits:
            self._dialog.close()
            await self._save(str(self._reason.value or "").strip(), edits)


def _value_in_words(line: LineView, now: EditedLineView | None) -> str:
    """A line's value, and at another quantity its price, what it was and why it is another one."""
    if now is None or now.quantity == line.quantity:
        return money(line.value, line.currency)
    said = f"{money(now.value, line.currency)} at {money(now.unit_price)} (was {money(line.value)})."
    return f"{said} {now.price_rule}".strip()


def limits_of(line: LineView) -> str:
    """The offer's limits in words."""
    found = [f"Minimum {quantity(line.figures['moq'])}"] if "moq" in line.figures else []
    step = line.figures.get("order_multiple", 0.0)
    found += [f"in steps of {quantity(step)}"] if step > 0 else []
    most = line.figures.get("max_quantity")
    found += [f"at most {quantity(most)}"] if most is not None else []
    return ", ".join(found) or f"Now {quantity(line.quantity, line.uom)}"


def quantity_fault(line: LineView, typed: float | None) -> str:
    """Why the gates would not let a quantity pass; empty when they may. Zero drops the line."""
    if typed is None or not math.isfinite(typed) or typed < 0:
        return "Give a number of zero or more."
    least, step = line.figures.get("moq", 0.0), line.figures.get("order_multiple", 0.0)
    most = line.figures.get("max_quantity", math.inf)
    if typed == 0:
        return ""
    if typed < least:
        return f"Below the minimum of {quantity(least)}."
    if typed > most:
        return f"Above the maximum of {quantity(most)}."
    if step > 0 and abs(typed / step - round(typed / step)) > OFF_MULTIPLE:
        below = math.floor(typed / step) * step
        return f"Not in steps of {quantity(step)}: {quantity(below)} or {quantity(below + step)}."
    return ""


def changed_quantities(lines: Sequence[LineView], typed: Mapping[str, float | None]) -> dict[str, float] | None:
    """The quantities that differ, or None when there are none or one is no quantity."""
    if any(quantity_fault(line, typed[line.line_id]) for line in lines):
        return None
    changed = {
        line.line_id: float(given)
        for line in lines
        if (given := typed[line.line_id]) is not None and given != line.quantity
    }
    return changed or None
