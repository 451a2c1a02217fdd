"""What a person gave on the command line, as ids, edits and events; BadInput says how to write it right."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from graph.contracts import SourcingSession, StoredAnswers
from graph.views.installation import RejectView
from graph.views.orders import ApprovalView, WaitingView
from graph.views.runs import AlertView
from tools.domain.errors import BadInput

ALERT_PATIENCE_SECONDS = 120.0
SHOWN_ORDERS = 20
ORDERS_READ = 500
"""Orders that one reading of what waits gives at most."""
MOST_LIKELY = 20
"""Approvals that are looked at for one whose id begins so."""
KEPT_REJECTS = 5000
"""How many of the latest rejected rows are looked at."""


def whole_id(session: SourcingSession, start: str) -> str:
    """The waiting approval that begins so; what begins none is left as it is, for it may be decided already."""
    likely = session.waiting(MOST_LIKELY, search=start).orders if start.strip() else ()
    found = [one.approval_id for one in likely if one.approval_id.startswith(start)]
    if len(found) > 1 and start not in found:
        raise BadInput(f"{start} begins {len(found)} approvals.", remedy=f"Say more of one: {', '.join(found)}.")
    return found[0] if len(found) == 1 else start


def orders_that_wait(session: StoredAnswers, limit: int | None, offset: int, find: str) -> WaitingView:
    """Totals, and as many of the orders that wait as are asked for, all when no limit is given."""
    found = session.waiting(ORDERS_READ if limit is None else limit, offset, find)
    orders = list(found.orders)
    end = max(0, found.matching - offset) if limit is None else min(limit, found.matching - offset)
    while len(orders) < end:
        more = session.waiting(min(ORDERS_READ, end - len(orders)), offset + len(orders), find).orders
        if not more:
            break
        orders += more
    return found.model_copy(update={"orders": tuple(orders)})


def edits_of(pairs: Sequence[str], approval: ApprovalView) -> dict[str, float] | None:
    """Line ids with their new quantities; an item stands for its line when the order has only one."""
    edits: dict[str, float] = {}
    for pair in pairs:
        name, equals, quantity = pair.rpartition("=")
        lines = [line.line_id for line in approval.lines if line.item_id == name]
        try:
            edits[lines[0] if len(lines) == 1 else name] = float(quantity)
        except ValueError:
            equals = ""
        if not equals or not name:
            example = approval.lines[0].item_id if approval.lines else "ITEM"
            raise BadInput(f"--edit {pair!r} is not ITEM=QUANTITY.", remedy=f"Write for example --edit {example}=240.")
    return edits or None


def rejects_of(session: StoredAnswers, import_id: str | None) -> list[RejectView]:
    """The rows that one import turned away, or all of them."""
    return [row for row in session.rejects(KEPT_REJECTS) if import_id in (None, row.import_id)]


def check_activation(action: str | None, version: str | None) -> None:
    """BadInput unless nothing is asked of the estimate versions, or `activate VERSION`."""
    if action is None or (action == "activate" and version is not None):
        return
    told = "names no version" if action == "activate" else "is not known"
    raise BadInput(
        f"`jit estimates {action}` {told}.",
        remedy="Write `jit estimates activate VERSION` with a version of `jit estimates`, or `configured`.",
    )


def event_of(file: Path) -> dict[str, Any]:
    """The CloudEvents object of a JSON file."""
    try:
        event = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise BadInput(f"{file} holds no JSON event: {error}.", remedy="See docs/alerts.md for one.") from error
    if not isinstance(event, dict):
        raise BadInput(f"{file} holds no JSON object.", remedy="See docs/alerts.md for an event.")
    return {str(name): value for name, value in event.items()}


def settled(session: SourcingSession, message_id: str) -> AlertView:
    """The alert once its replan has ended, or as it stands when that takes too long."""
    until = time.monotonic() + ALERT_PATIENCE_SECONDS
    while True:
        found = next(one for one in session.alerts() if one.message_id == message_id)
        if found.status in ("done", "failed") or time.monotonic() > until:
            return found
        time.sleep(0.05)


def wrong_settings(error: ValueError) -> BadInput:
    """What is wrong with the settings: a value of the wrong kind, or a jit.toml that is no TOML."""
    if not isinstance(error, ValidationError):
        return BadInput(f"jit.toml cannot be read: {error}.", remedy="Correct it, or remove it.")
    wrong = "; ".join(f"{_path(one)}: {one['msg']}" for one in error.errors())
    return BadInput(f"A setting is wrong: {wrong}.", remedy="Correct JIT_<NAME> in the environment, or jit.toml.")


def _path(fault: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in fault["loc"])
