"""The independent checker of a simulated world, which knows what is needed there.

Units that stand in the ERP, in stock or open, and units of ours that may yet stand there, never exceed what is needed
by more than what somebody ordered in the ERP itself or raised by an edit. What is needed is on its way, waits, or was
planned by the last run. Every store tells the same.
"""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field

import orjson
from sqlalchemy import create_engine

from benchmarks.ledger.stores import DUE, Row, Stores, asked_for_twice, disagreements, look
from benchmarks.ledger.world import FORGER, NEEDS, TARGET, World
from store.packing import unpacked
from tools.domain.orders import ItemSite


@dataclass
class Findings:
    """What was found wrong, in words."""

    doubled: list[str] = field(default_factory=list[str])
    forgotten: list[str] = field(default_factory=list[str])
    disagreeing: list[str] = field(default_factory=list[str])

    def all(self) -> list[str]:
        """Every one of them."""
        return [*self.doubled, *self.forgotten, *self.disagreeing]


class Oracle:
    """Looks at a world between two operations; keeps what was found."""

    def __init__(self, world: World) -> None:
        self.found = Findings()
        self.stuck = 0
        """Orders given up to a person while nobody knows whether they stand in the ERP."""
        self._world = world
        self._engine = create_engine(world.url.replace("postgresql://", "postgresql+psycopg://", 1))
        self._erp = sqlite3.connect(world.erp_file)
        self._counted: set[str] = set()
        """Orders of the ERP that readers know, and edits that left, whose surplus is allowed."""
        units = _units(self.look())
        self._allowed = {need: max(0.0, units[need] - TARGET[need]) for need in NEEDS}
        """Surplus by what was there at first, or was ordered in the ERP itself; never more than there still is."""
        self._raised = dict.fromkeys(NEEDS, 0.0)
        """Surplus by what people raised; never more than there is, or is when all that waits is signed."""

    def close(self) -> None:
        """Give everything back."""
        self._engine.dispose()
        self._erp.close()

    def look(self) -> Stores:
        """Everything that is stored by now."""
        return look(self._engine, self._erp)

    def check(self) -> None:
        """What must hold between any two operations."""
        stores = self.look()
        self._bought_once(stores)
        self.found.doubled += asked_for_twice(stores)
        self.found.disagreeing += disagreements(stores)
        forged = [key for key in self._world.forged if stores.erp_orders.get(key, {}).get("supplier_id") == FORGER]
        self.found.disagreeing += [f"the ERP took a forged order of key {key}" for key in forged]

    def check_settled(self) -> None:
        """What must hold once everything was sent, read back and planned again."""
        self.check()
        stores = self.look()
        units, waiting = _units(stores), stores.waiting()
        for need in NEEDS:
            missing, asked = max(0.0, TARGET[need] - units[need]), waiting.get(need, 0.0)
            if asked < missing:
                self.found.forgotten.append(f"{need}: {missing:g} units are missing and {asked:g} wait")
            elif asked > missing:
                self.found.doubled.append(f"{need}: {missing:g} units are missing and {asked:g} wait")
        for key, order in stores.orders.items():
            self._settled(key, order, stores)

    def _bought_once(self, stores: Stores) -> None:
        unread = self._count_born(stores)
        self._count_edits(stores)
        units, waiting = _units(stores), stores.waiting()
        for need in NEEDS:
            surplus = units[need] - TARGET[need]
            allowed = self._allowed[need] + self._raised[need] + unread[need]
            if surplus > allowed + 1e-6:
                self.found.doubled.append(f"{need}: {surplus:g} units too many, {allowed:g} explained")
            self._allowed[need] = min(self._allowed[need], max(0.0, surplus))
            self._raised[need] = min(self._raised[need], max(0.0, surplus + waiting.get(need, 0.0)))

    def _count_born(self, stores: Stores) -> dict[ItemSite, float]:
        """Units that were ordered in the ERP itself and that no reader knows yet; those that one knows are allowed."""
        unread = defaultdict[ItemSite, float](float)
        for key, order in stores.erp_orders.items():
            for line in stores.erp_lines.get(order["erp_ref"], []) if key.startswith("hand:") else []:
                need, known = (line["item_id"], order["site_id"]), line["order_id"] in self._world.datasets.seen
                if known and line["order_id"] not in self._counted:
                    self._counted.add(line["order_id"])
                    self._allowed[need] += line["quantity"]
                elif not known and line["status"] != "cancelled":
                    unread[need] += line["quantity"]
        return unread

    def _count_edits(self, stores: Stores) -> None:
        """What a person raised beyond the plan is theirs to answer for."""
        for key, order in stores.orders.items():
            forms = [row["body"] for row in stores.history[key] if row["body"]]
            if order["left_seq"] is None or len(forms) < 2 or key in self._counted:
                continue
            self._counted.add(key)
            planned = {line["line_id"]: line["quantity"] for line in orjson.loads(unpacked(forms[0]))["lines"]}
            for line in stores.lines[key]:
                more = max(0.0, line["quantity"] - planned[line["line_id"]])
                self._raised[line["item_id"], line["site_id"]] += more

    def _settled(self, key: str, order: Row, stores: Stores) -> None:
        """The ledger's word for an order is the ERP's, and its stored form is that of its columns."""
        body, actions = orjson.loads(unpacked(order["body"])), stores.actions_of(key)
        quantities = {line["line_id"]: line["quantity"] for line in body["lines"]}
        stored = {row["line_id"]: row["quantity"] for row in stores.lines[key]}
        if body["status"] != order["status"] or quantities != stored:
            self.found.disagreeing.append(f"{key}: its stored form is another one")
        if any(row["status"] in DUE for row in actions):
            self.found.forgotten.append(f"{key} is {order['status']}: an action of it was never sent")
        taken_back = any(row["kind"] == "cancel" and row["status"] == "done" for row in actions)
        held = [stores.erp_orders[row["action_key"]] for row in actions if row["action_key"] in stores.erp_orders]
        for one in held:
            lines = stores.erp_lines[one["erp_ref"]]
            told = _erp_status([line["status"] for line in lines])
            rest_cancelled = taken_back and order["status"] == "cancelled" and not any(line["open"] for line in lines)
            partly_cancelled = order["status"] == "part_received" and "cancelled" in [line["status"] for line in lines]
            if order["status"] != told and not rest_cancelled and not partly_cancelled:
                self.found.disagreeing.append(f"{key} is {order['status']} and {told} in the ERP")
        self.stuck += order["status"] == "in_doubt" and not held


def _units(stores: Stores) -> dict[ItemSite, float]:
    """Stock, what is open in the ERP, and what of ours may yet stand there."""
    units = defaultdict[ItemSite, float](float, stores.stock)
    for asked in (stores.open_in_erp(), stores.on_their_way()):
        for need, quantity in asked.items():
            units[need] += quantity
    return units


def _erp_status(lines: list[str]) -> str:
    """The ledger's word for an order whose lines the ERP has in these statuses."""
    kept = [status for status in lines if status != "cancelled"]
    if not kept:
        return "cancelled"
    if "draft" in kept:
        return "in_doubt"
    if "partial" in kept or ("received" in kept and set(kept) != {"received"}):
        return "part_received"
    return {"received": "received", "sent": "placed"}.get(kept[0], "confirmed")
