"""The sandbox ERP on its real file: keys, the clock, and every action."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sandbox_world import LEAD_TIMES, OFFER, START, changing, placing, small_dataset
from shared_data import shared_data

from erp.adapter import ActionKind, MasterKind, OrderChange, Permanent
from erp.sandbox import SandboxErp
from tools.domain.errors import OutOfReach
from tools.domain.orders import OpenOrderStatus, PurchaseOrder


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[SandboxErp]:
    sandbox = SandboxErp(tmp_path / "erp.sqlite", seed=7)
    sandbox.seed_from(small_dataset(), LEAD_TIMES)
    yield sandbox
    sandbox.close()


def placed(erp: SandboxErp, key: str, quantity: float = 50, items: tuple[str, ...] = ("A",)) -> str:
    ref = erp.submit(placing(key, quantity, items)).erp_ref
    return erp.confirm(ref, f"{key}:confirm").erp_ref


def test_the_same_key_places_one_order_and_answers_with_it(erp: SandboxErp) -> None:
    first = erp.submit(placing("k1"))
    assert erp.submit(placing("k1", quantity=999)) == first
    assert erp.find_by_key("k1") == first
    assert erp.health()["orders"] == 1


def test_the_file_itself_refuses_a_key_twice(erp: SandboxErp, tmp_path: Path) -> None:
    erp.submit(placing("k1"))
    with sqlite3.connect(tmp_path / "erp.sqlite") as raw, pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        raw.execute("INSERT INTO orders SELECT 'X', idempotency_key, 'S1', 'MAIN', 'USD', '', '', '' FROM orders")
    raw.close()


def test_a_commit_is_on_disk_when_it_returns(erp: SandboxErp) -> None:
    (mode,) = erp._db.execute("PRAGMA journal_mode").fetchone()
    (level,) = erp._db.execute("PRAGMA synchronous").fetchone()
    assert (mode, level) == ("wal", 2)


def test_a_draft_is_not_sent_before_it_is_confirmed(erp: SandboxErp) -> None:
    ref = erp.submit(placing("k1")).erp_ref
    erp.advance(60)
    assert erp.get_status(ref).status is OpenOrderStatus.DRAFT
    assert list(erp.iter_receipts(None)) == []


def test_confirming_twice_under_one_key_is_one_confirmation_and_under_another_is_refused(erp: SandboxErp) -> None:
    ref = erp.submit(placing("k1")).erp_ref
    assert erp.confirm(ref, "c1") == erp.confirm(ref, "c1")
    with pytest.raises(Permanent, match="not a draft"):
        erp.confirm(ref, "c2")


def test_what_arrives_is_what_was_ordered_and_stock_grows_by_it(erp: SandboxErp) -> None:
    for number in range(20):
        placed(erp, f"k{number}", 50, ("A", "B"))
    erp.advance(120)
    receipts = list(erp.iter_receipts(None))
    assert sum(receipt.quantity for receipt in receipts) == pytest.approx(20 * 2 * 50)
    assert dict(((i, s), q) for i, s, q in erp.iter_stock()) == {("A", "MAIN"): 1100, ("B", "MAIN"): 1100}
    assert list(erp.iter_open_orders()) == []
    assert erp.get_status("SB000001").status is OpenOrderStatus.RECEIVED


def test_some_arrivals_come_in_parts_and_the_rest_comes_later(erp: SandboxErp) -> None:
    for number in range(60):
        placed(erp, f"k{number}")
    erp.advance(120)
    by_order: dict[str, list[float]] = {}
    for receipt in erp.iter_receipts(None):
        by_order.setdefault(receipt.order_id, []).append(receipt.quantity)
    parts = [quantities for quantities in by_order.values() if len(quantities) > 1]
    assert 1 <= len(parts) <= 20
    assert all(sum(quantities) == 50 for quantities in by_order.values())


def test_first_arrivals_follow_the_offers_lead_times(erp: SandboxErp) -> None:
    for day in range(200):
        placed(erp, f"k{day}")
        erp.advance(1)
    erp.advance(80)
    first: dict[str, int] = {}
    for receipt in erp.iter_receipts(None):
        first.setdefault(receipt.order_id, receipt.lead_time_days)
    days = np.array(list(first.values()))
    assert set(days) == {14, 18, 20, 22, 35}
    assert days.mean() == pytest.approx(21.8, abs=1.5)


def test_some_orders_arrive_after_the_day_that_was_promised(erp: SandboxErp) -> None:
    for day in range(60):
        placed(erp, f"k{day}")
        erp.advance(1)
    erp.advance(80)
    late = [receipt for receipt in erp.iter_receipts(None) if receipt.receipt_date > (receipt.promised_date or START)]
    assert 10 <= len({receipt.order_id for receipt in late}) <= 45


def test_the_same_seed_and_orders_give_the_same_receipts_whatever_the_keys(tmp_path: Path) -> None:
    def receipts(name: str, seed: int, step: int) -> list[tuple[object, ...]]:
        sandbox = SandboxErp(tmp_path / name, seed=seed)
        sandbox.seed_from(small_dataset(), LEAD_TIMES)
        for number in range(10):
            placed(sandbox, f"{name}-{number}")
        for _ in range(90 // step):
            sandbox.advance(step)
        found = [(r.order_id, r.quantity, r.receipt_date) for r in sandbox.iter_receipts(None)]
        sandbox.close()
        return found

    assert receipts("one", 7, 1) == receipts("two", 7, 30)
    assert receipts("one", 7, 1) != receipts("three", 8, 1)


def test_demand_takes_stock_and_what_is_not_there_is_short(tmp_path: Path) -> None:
    sandbox = SandboxErp(tmp_path / "erp.sqlite")
    sandbox.seed_from(small_dataset(), LEAD_TIMES, {"A": 30.0})
    passed = sandbox.advance(4, {"B": [10.0, 0.0, 5.0, 200.0]})
    assert {item: units for item, _, units in sandbox.iter_stock()} == {"A": 0.0, "B": 0.0}
    assert (passed.served, passed.short) == (200.0, 20.0 + 115.0)
    assert passed.today == sandbox.today == START + timedelta(days=4)
    sandbox.close()


def test_receipts_are_read_from_a_day_on_without_repeating(erp: SandboxErp) -> None:
    for number in range(10):
        placed(erp, f"k{number}")
    seen: list[str] = []
    since = erp.today
    for _ in range(9):
        erp.advance(10)
        seen += [f"{receipt.order_id} {receipt.receipt_date}" for receipt in erp.iter_receipts(since)]
        since = erp.today
    assert seen == [f"{receipt.order_id} {receipt.receipt_date}" for receipt in erp.iter_receipts(None)]


def test_orders_open_before_the_start_arrive_later_than_today(tmp_path: Path) -> None:
    old = PurchaseOrder(
        order_id="PO9", item_id="A", supplier_id="S1", quantity=40, order_date=START - timedelta(days=19)
    )
    ancient = old.model_copy(update={"order_id": "PO1", "order_date": START - timedelta(days=400)})
    sandbox = SandboxErp(tmp_path / "erp.sqlite")
    sandbox.seed_from(small_dataset((old, ancient)), LEAD_TIMES)
    assert [order.order_id for order in sandbox.iter_open_orders()] == ["PO9", "PO1"]
    sandbox.advance(60)
    ages = {receipt.order_id: receipt.lead_time_days for receipt in sandbox.iter_receipts(None)}
    assert ages["PO9"] in (20, 22, 35)
    assert ages["PO1"] > 400
    sandbox.close()


def test_a_cancelled_line_never_arrives_and_its_sibling_does(erp: SandboxErp) -> None:
    ref = placed(erp, "k1", 50, ("A", "B"))
    erp.cancel(changing("x1", ActionKind.CANCEL, f"{ref}/1"))
    erp.advance(90)
    assert {receipt.item_id for receipt in erp.iter_receipts(None)} == {"B"}
    assert erp.get_status(ref).status is OpenOrderStatus.RECEIVED


def test_an_expedited_order_halves_its_wait(erp: SandboxErp) -> None:
    ref = placed(erp, "k1")
    (line,) = erp._read("SELECT arrives_on FROM lines")
    before = (np.datetime64(line["arrives_on"]) - np.datetime64(START)).astype(int)
    erp.expedite(changing("x1", ActionKind.EXPEDITE, ref))
    erp.expedite(changing("x1", ActionKind.EXPEDITE, ref))
    erp.advance(60)
    assert next(iter(erp.iter_receipts(None))).lead_time_days == -(-before // 2)


def test_an_order_on_hold_waits_until_it_is_amended(erp: SandboxErp) -> None:
    ref = placed(erp, "k1")
    assert erp.amend(changing("h1", ActionKind.HOLD, ref)).status is OpenOrderStatus.ON_HOLD
    erp.advance(60)
    assert list(erp.iter_receipts(None)) == []
    erp.amend(changing("h2", ActionKind.AMEND, ref, OrderChange(quantity=30, due_date=START + timedelta(days=90))))
    erp.advance(120)
    assert sum(receipt.quantity for receipt in erp.iter_receipts(None)) == 30


def test_less_than_has_arrived_cannot_be_ordered_and_nothing_changes(erp: SandboxErp) -> None:
    refs = [placed(erp, f"k{number}") for number in range(60)]
    while not (partly := [ref for ref in refs if erp.get_status(ref).status is OpenOrderStatus.PARTIAL]):
        erp.advance(1)
    before = erp.get_status(partly[0])
    with pytest.raises(Permanent, match="have arrived already"):
        erp.amend(changing("m1", ActionKind.AMEND, partly[0], OrderChange(quantity=1)))
    assert erp.get_status(partly[0]) == before
    assert erp.find_by_key("m1") is None


@pytest.mark.parametrize("kind", [ActionKind.CANCEL, ActionKind.EXPEDITE])
def test_what_has_nothing_open_cannot_be_changed(erp: SandboxErp, kind: ActionKind) -> None:
    with pytest.raises(Permanent, match="nothing open"):
        (erp.cancel if kind is ActionKind.CANCEL else erp.expedite)(changing("x1", kind, "SB000404"))
    with pytest.raises(Permanent, match="There is no order"):
        erp.get_status("SB000404")


def test_master_data_reads_back_as_it_was_imported(erp: SandboxErp) -> None:
    dataset = small_dataset()
    assert list(erp.iter_master(MasterKind.ITEMS, None)) == list(dataset.items.values())
    assert list(erp.iter_master(MasterKind.SUPPLIERS, None)) == list(dataset.suppliers.values())
    assert OFFER in list(erp.iter_master(MasterKind.OFFERS, None))
    assert list(erp.iter_master(MasterKind.OFFERS, START)) == []


def test_an_empty_sandbox_cannot_move_its_clock(tmp_path: Path) -> None:
    sandbox = SandboxErp(tmp_path / "erp.sqlite")
    with pytest.raises(Permanent, match="empty"):
        sandbox.advance(1)
    sandbox.close()


def test_seeding_again_starts_over(erp: SandboxErp) -> None:
    placed(erp, "k1")
    erp.advance(50)
    erp.seed_from(small_dataset(), LEAD_TIMES)
    assert (erp.today, erp.health()["orders"], list(erp.iter_receipts(None))) == (START, 0, [])


def test_the_real_distribution_centre_can_be_lived_through_for_a_year(tmp_path: Path) -> None:
    from store.ingest import import_folder
    from store.warehouse import Warehouse
    from tools.lead_times import estimate_lead_times

    folder = shared_data("demo_rdc")
    with Warehouse(tmp_path / "warehouse.duckdb") as warehouse:
        import_folder(folder, START.replace(year=2013, month=12, day=31), warehouse)
        dataset = warehouse.load_dataset()
    made = estimate_lead_times(dataset.offers, dataset.receipts, dataset.open_orders, dataset.as_of)
    rng = np.random.default_rng(1)
    sandbox = SandboxErp(tmp_path / "erp.sqlite")
    sandbox.seed_from(dataset, {key: found.sample(rng, 100).tolist() for key, found in made.items()})
    ordered = sum(order.quantity for order in dataset.open_orders)
    assert sum(order.quantity for order in sandbox.iter_open_orders()) == pytest.approx(ordered)
    sandbox.advance(365)
    arrived = sum(receipt.quantity for receipt in sandbox.iter_receipts(None))
    assert arrived + sum(order.quantity for order in sandbox.iter_open_orders()) == pytest.approx(ordered)
    assert arrived > 0.9 * ordered
    sandbox.close()


def test_a_file_that_is_no_database_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "erp.sqlite"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(OutOfReach, match="erp.sqlite"):
        SandboxErp(path, 7)


def test_a_line_that_was_cancelled_in_a_draft_stays_cancelled_when_the_draft_is_released(erp: SandboxErp) -> None:
    ref = erp.submit(placing("k1", items=("A", "B"))).erp_ref
    erp.cancel(changing("c1", ActionKind.CANCEL, f"{ref}/1"))
    erp.confirm(ref, "k1:confirm")
    assert erp.get_status(ref).lines[0].status is OpenOrderStatus.CANCELLED
    assert [order.order_id for order in erp.iter_open_orders() if order.order_id.startswith(ref)] == [f"{ref}/2"]
