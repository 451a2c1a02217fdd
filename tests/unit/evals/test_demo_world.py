"""The demo world: importable, calibrated, varied, and honest about what is hidden."""

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from evals.worlds.calibration import load_calibration
from evals.worlds.demo import DemoWorld, make_demo_world, write_demo_world
from evals.worlds.truth import LeadTimeLaw
from store.ingest import import_folder
from store.warehouse import Warehouse
from tools.domain.catalogue import Autonomy, SupplierStatus
from tools.network import build_graph


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return make_demo_world()


def test_the_written_folder_imports_without_a_reject_and_reads_back_as_the_world_in_memory(
    world: DemoWorld, tmp_path: Path
) -> None:
    write_demo_world(tmp_path / "demo")
    with Warehouse(tmp_path / "w.duckdb") as warehouse:
        report = import_folder(tmp_path / "demo", world.dataset.as_of, warehouse)
        read = warehouse.load_dataset()
    assert not report.rejected
    assert not report.unknown_columns
    for name in ("items", "suppliers", "sites", "offers", "on_hand", "open_orders", "receipts", "links", "calendar"):
        assert getattr(read, name) == getattr(world.dataset, name), name
    for key, history in world.dataset.demand.items():
        assert np.array_equal(read.demand[key].quantities, history.quantities)
        assert np.array_equal(read.demand[key].dates, history.dates)


def test_one_seed_writes_one_world_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_demo_world(tmp_path / name, seed=seed)
    a, b, c = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in "abc")
    assert a == b
    assert a["demand.csv"] != c["demand.csv"]


def test_nothing_of_the_truth_is_written(world: DemoWorld, tmp_path: Path) -> None:
    write_demo_world(tmp_path)
    text = "\n".join(path.read_text() for path in tmp_path.iterdir())
    for floor in world.truth.floor_fractions.values():
        assert str(floor) not in text
    for law in world.truth.lead_times.values():
        assert str(law.median_days) not in text


def test_the_world_has_forty_items_fifteen_suppliers_and_the_cases_a_buyer_meets(world: DemoWorld) -> None:
    data = world.dataset
    assert (len(data.items), len(data.suppliers)) == (40, 15)
    usable = Counter(o.item_id for o in data.offers if data.suppliers[o.supplier_id].status is SupplierStatus.ACTIVE)
    assert min(usable.values()) == 1
    assert set(usable) == set(data.items)
    assert [s.supplier_id for s in data.suppliers.values() if s.status is SupplierStatus.ON_HOLD] == ["S10"]
    levels = Counter(item.autonomy for item in data.items.values())
    assert levels[Autonomy.RECOMMEND] > levels[Autonomy.AUTO] > levels[Autonomy.SHADOW] > 0
    late = [o for o in data.open_orders if o.promised_date and o.promised_date < data.as_of]
    assert 3 <= len(late) <= len(data.open_orders) / 2


def test_an_expedite_offer_is_dearer_and_faster_than_its_item_s_cheapest(world: DemoWorld) -> None:
    for fast in (o for o in world.dataset.offers if o.expedite):
        others = [o for o in world.dataset.offers if o.item_id == fast.item_id and not o.expedite]
        assert fast.unit_price > min(o.unit_price for o in others)
        assert fast.lead_time_days < min(o.lead_time_days for o in others)


def test_some_items_run_out_within_a_week_and_some_hold_most_of_a_year(world: DemoWorld) -> None:
    cover = [units / world.dataset.demand[key].quantities[-26:].mean() for key, units in world.dataset.on_hand.items()]
    assert sum(weeks < 1 for weeks in cover) >= 3
    assert sum(weeks > 35 for weeks in cover) >= 3


def test_a_large_order_is_cheaper_a_unit_by_no_more_than_the_calibration_says(world: DemoWorld) -> None:
    most = load_calibration().quantity_discount.tenfold
    breaks = [(offer, step) for offer in world.dataset.offers for step in offer.price_breaks]
    assert breaks
    for offer, step in breaks:
        assert offer.unit_price > step.unit_price >= offer.unit_price * (1 - most) - 0.005
        assert step.quantity >= offer.moq


def test_all_five_demand_shapes_occur(world: DemoWorld) -> None:
    shapes = Counter(law.pattern for law in world.truth.demand.values())
    assert set(shapes) == {"smooth", "seasonal", "erratic", "intermittent", "lumpy"}


def test_most_past_orders_are_worth_between_500_and_50_000(world: DemoWorld) -> None:
    price = {(o.item_id, o.supplier_id): o.unit_price for o in world.dataset.offers}
    values = [r.quantity * price[r.item_id, r.supplier_id] for r in world.dataset.receipts]
    assert np.mean([500 <= value <= 50_000 for value in values]) > 0.9


def test_an_alert_on_a_raw_material_s_country_reaches_items_through_three_tiers(world: DemoWorld) -> None:
    graph = build_graph(world.dataset)
    path = nx.shortest_path(graph, "country:DE", "S03")
    assert path == ["country:DE", "raw:Antibodies", "plant:S03-A", "S03"]


def test_as_many_deliveries_are_late_as_in_the_calibration() -> None:
    law = LeadTimeLaw(100.0, 0.52)
    days = law.sample(np.random.default_rng(1), 20_000)
    assert np.mean(days > law.promised_days) == pytest.approx(load_calibration().lateness.late_share, abs=0.01)
    assert np.median(days) == pytest.approx(100.0, rel=0.02)


def test_demand_has_the_mean_and_the_gaps_its_law_states(world: DemoWorld) -> None:
    law = next(law for law in world.truth.demand.values() if law.pattern == "lumpy")
    flat = replace(law, weekly_mean=400.0, growth_per_year=0.0)
    drawn = flat.draw(np.random.default_rng(3), np.arange(20_000))
    assert drawn.mean() == pytest.approx(400.0, rel=0.03)
    assert np.mean(drawn > 0) == pytest.approx(1 / 2.39, abs=0.02)


def test_the_truth_of_a_seed_is_the_same_each_time_it_is_asked() -> None:
    first, second = (make_demo_world(11, date(2026, 1, 31)).truth for _ in range(2))
    assert first.lead_times == second.lead_times
    assert all(np.array_equal(first.future_demand(20)[item], second.future_demand(20)[item]) for item in first.demand)
