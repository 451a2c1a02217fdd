"""Estimate versions in the warehouse: what is stored comes back bit for bit, and one of them is active."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from forked import in_child
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sandbox_world import OFFER

from graph.computation.distributions import demand_from, demand_rows, lead_time_from, lead_time_row
from store.arrays import from_bytes, to_bytes
from store.estimates import EstimateKind, EstimateOrigin, EstimateRow, hash_of
from store.warehouse import Warehouse
from tools.domain.datasets import Period, PeriodSeries
from tools.domain.errors import IntegrityBroken, NotFound
from tools.forecasting import DemandForecast, DemandPattern
from tools.lead_times import LeadTimeDistribution

ORIGIN = EstimateOrigin("ds-1-aa", "demand 2", {"forecast": {"seed": 7}}, 7, "0.1.0+ab")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def row(key: str, content: bytes = b"paths", **figures: object) -> EstimateRow:
    item_id, _, site_id = key.partition("@")
    return EstimateRow.of(EstimateKind.DEMAND, item_id, site_id, key, figures, content)


def store(warehouse: Warehouse, *rows: EstimateRow, dataset: str = "ds-1-aa", active: bool = False) -> str:
    origin = EstimateOrigin(dataset, ORIGIN.model_version, ORIGIN.parameters, ORIGIN.seed, ORIGIN.code_version)
    version = warehouse.store_estimates(origin, rows or (row("A@MAIN"),))
    if active:
        warehouse.activate_estimates(version, "program", "made", held=False)
    return version


def forecast(paths: np.ndarray, history: Sequence[float] = (3.0, 0.0, 5.0)) -> DemandForecast:
    starts = np.arange("2026-01-05", "2026-12-31", 7, dtype="datetime64[D]")
    series = PeriodSeries(
        "A", "MAIN", Period.WEEK, starts[: len(history)], np.array(history), np.zeros(len(history), dtype=bool)
    )
    return DemandForecast(
        "A",
        "MAIN",
        Period.WEEK,
        starts[3 : 3 + paths.shape[1]],
        paths,
        DemandPattern.ERRATIC,
        "level",
        None,
        series,
        {"mase": 0.7, "bias": float("nan")},
        ("one note",),
        np.array([3.0, np.nan, 5.0]),
    )


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(0, 2**24, width=32))
)
@settings(max_examples=60, deadline=None)
def test_stored_paths_come_back_bit_for_bit(paths: np.ndarray) -> None:
    made = forecast(paths.astype(np.float64))
    [kept] = demand_rows([made])
    again = demand_from({"item_id": "A", "site_id": "MAIN", **kept.figures}, kept.content)
    assert again.paths.astype(np.float64).tobytes() == made.paths.tobytes()
    for name in ("starts", "quantities", "closed"):
        assert np.array_equal(getattr(again.history, name), getattr(made.history, name))
    assert np.array_equal(again.modelled, made.modelled, equal_nan=True)
    assert (again.pattern, again.model, again.notes) == (made.pattern, made.model, made.notes)
    assert again.accuracy == {"mase": 0.7}
    assert demand_rows([again])[0].digest == kept.digest


def test_what_is_planned_with_is_what_was_stored_even_beyond_the_precision_kept() -> None:
    [once] = demand_rows([forecast(np.array([[1 / 3, 2e9 + 1]]))])
    named = {"item_id": "A", "site_id": "MAIN", **once.figures}
    assert demand_rows([demand_from(named, once.content)])[0].digest == once.digest


def test_a_lead_time_comes_back_bit_for_bit() -> None:
    made = LeadTimeDistribution(np.array([3, 9, 40]), np.array([0.1, 0.2, 0.7]) / 1.0000001, "offer", 12, "thin")
    kept = lead_time_row(OFFER, made)
    again = lead_time_from(kept.figures, kept.content)
    assert again.days.tobytes() == made.days.tobytes()
    assert again.probabilities.tobytes() == made.probabilities.tobytes()
    assert (again.source, again.observations, again.fallback) == ("offer", 12, "thin")


ARRAYS = st.one_of(
    hnp.arrays(kind, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    for kind in (np.float64, np.float32, np.int64, np.bool_, "datetime64[D]")
)


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4))
@settings(max_examples=60, deadline=None)
def test_arrays_come_back_with_their_types_and_shapes(arrays: dict[str, np.ndarray]) -> None:
    again = from_bytes(to_bytes(arrays))
    assert list(again) == list(arrays)
    for name, array in arrays.items():
        assert (again[name].dtype, again[name].shape) == (array.dtype, array.shape)
        assert again[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("cut", [slice(0, -3), slice(4, None), slice(0, 0)])
def test_a_cut_distribution_is_refused(cut: slice) -> None:
    with pytest.raises(IntegrityBroken):
        from_bytes(to_bytes({"paths": np.arange(12.0).reshape(3, 4)})[cut])


def test_a_version_is_named_by_number_and_content_and_becomes_active_only_when_chosen(warehouse: Warehouse) -> None:
    first = store(warehouse, active=True)
    second = store(warehouse, row("A@MAIN", b"other paths"))
    assert first.startswith("est-1-") and second.startswith("est-2-")
    active = warehouse.active_estimates()
    assert active is not None and active.version == first
    warehouse.activate_estimates(second, "ana", "a trial", held=True)
    found = {info.version: info for info in warehouse.estimates()}
    assert (found[second].active, found[second].held, found[second].chosen_by) == (True, True, "ana")
    assert found[second].parent == first and not found[first].active
    assert found[first].origin == ORIGIN


def test_the_content_hash_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [row("A@MAIN", mean=[1.0]), row("B@MAIN", mean=[2.0])]
    assert hash_of(rows) == hash_of(rows[::-1])
    assert hash_of(rows) != hash_of([rows[0], row("B@MAIN", mean=[2.5])])
    assert hash_of(rows) != hash_of([rows[0], row("B@MAIN", b"path", mean=[2.0])])


def test_a_process_killed_between_storing_and_activating_leaves_the_former_version_active(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with Warehouse(file) as opened:
        former = store(opened, active=True)

    def killed() -> None:
        with Warehouse(file) as opened:
            store(opened, row("A@MAIN", b"newer"), dataset="ds-2-bb")
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(killed) == signal.SIGKILL
    with Warehouse(file) as opened:
        active = opened.active_estimates()
        assert active is not None and active.version == former
        left = opened.estimates()[0]
        assert left.kept and not left.active
        assert opened.estimate_contents(left.version, EstimateKind.DEMAND) == {"A@MAIN": b"newer"}


def test_a_version_is_stored_whole_or_not_at_all(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(warehouse, "_store_distributions", stopped)
    with pytest.raises(KeyboardInterrupt):
        store(warehouse)
    assert warehouse.estimates() == []


def test_distributions_of_old_versions_are_dropped_and_their_figures_stay(warehouse: Warehouse) -> None:
    versions = [store(warehouse, row("A@MAIN", bytes([n]), mean=[float(n)])) for n in range(6)]
    warehouse.activate_estimates(versions[0], "ana", "", held=True)
    assert set(warehouse.drop_contents(2, {versions[1]})) == set(versions[2:4])
    kept = {info.version for info in warehouse.estimates() if info.kept}
    assert kept == {versions[0], versions[1], *versions[4:]}
    assert warehouse.estimate_contents(versions[2], EstimateKind.DEMAND) == {}
    figures = warehouse.estimate_figures(versions[2], EstimateKind.DEMAND, ["A@MAIN", "B@MAIN"])
    assert figures == {"A@MAIN": {"item_id": "A", "site_id": "MAIN", "mean": [2.0]}}


def test_versions_share_equal_rows_and_drop_only_what_no_kept_one_has(warehouse: Warehouse) -> None:
    shared = row("A@MAIN", b"shared", mean=[1.0])
    versions = [store(warehouse, shared, row("B@MAIN", bytes([n]), mean=[2.0])) for n in range(4)]
    assert warehouse._all("SELECT count(*) FROM estimate_distributions") == [(5,)]
    assert warehouse._all("SELECT count(*) FROM estimate_figures") == [(5,)]
    assert warehouse.drop_contents(1, ()) == versions[2::-1]
    assert warehouse._all("SELECT count(*) FROM estimate_distributions") == [(2,)]
    assert warehouse.estimate_contents(versions[3], EstimateKind.DEMAND) == {"A@MAIN": b"shared", "B@MAIN": b"\x03"}
    assert not warehouse.estimate(versions[0]).kept
    warehouse.restore_contents(versions[0], [shared, row("B@MAIN", bytes([0]), mean=[2.0])])
    assert warehouse.estimate(versions[0]).kept
    assert warehouse.estimate_contents(versions[0], EstimateKind.DEMAND) == {"A@MAIN": b"shared", "B@MAIN": b"\x00"}
    assert warehouse._all("SELECT count(*) FROM estimate_distributions") == [(3,)]


def test_demand_of_the_same_input_is_found_while_it_is_kept(warehouse: Warehouse) -> None:
    rows = [row("A@MAIN", b"a"), row("B@MAIN", b"b")]
    lead = EstimateRow.of(EstimateKind.LEAD_TIME, "A", "MAIN", "A/S", {}, b"days")
    version = warehouse.store_estimates(ORIGIN, [*rows, lead], demand_input="hash")
    assert warehouse.members_from("other") == []
    found = warehouse.members_from("hash")
    assert {one.key: one.digest for one in found} == {one.key: one.digest for one in rows}
    slower = EstimateRow.of(EstimateKind.LEAD_TIME, "A", "MAIN", "A/S", {}, b"more days")
    second = warehouse.store_estimates(ORIGIN, [slower], found, "hash")
    assert warehouse.estimate(second).content_hash == hash_of([*rows, slower])
    demand = [warehouse.estimate_contents(one, EstimateKind.DEMAND) for one in (version, second)]
    assert demand == [{"A@MAIN": b"a", "B@MAIN": b"b"}] * 2
    assert warehouse.estimate_contents(second, EstimateKind.LEAD_TIME) == {"A/S": b"more days"}
    warehouse.drop_contents(0, ())
    assert warehouse.members_from("hash") == []


def test_versions_of_before_rows_were_shared_are_kept_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with Warehouse(file) as opened:
        dropped = store(opened, row("A@MAIN", b"old", mean=[0.5]))
        kept = store(opened, row("A@MAIN", b"a", mean=[1.0]), row("B@MAIN", b"b", mean=[2.0]), active=True)
        opened.drop_contents(1, ())
        before = {one.version: one for one in opened.estimates()}
    with duckdb.connect(str(file)) as earlier:
        for columns, table, source in (
            ("version, kind, item_id, site_id, key, figures", "estimate_rows", "estimate_figures"),
            ("version, kind, key, content", "estimate_contents", "estimate_distributions"),
        ):
            joined = f"SELECT {columns} FROM estimate_members JOIN {source} USING (digest)"  # noqa: S608
            earlier.execute(f"CREATE TABLE {table} AS {joined}")
            earlier.execute(f"DROP TABLE {source}")
        earlier.execute("DROP TABLE estimate_members")
        earlier.execute("ALTER TABLE estimates DROP COLUMN demand_input")
        earlier.execute("ALTER TABLE estimates DROP COLUMN kept")
        earlier.execute("DELETE FROM migrations WHERE name = '0006_shared_estimates'")
    with Warehouse(file) as opened:
        assert {one.version: one for one in opened.estimates()} == before
        assert opened.estimate_contents(kept, EstimateKind.DEMAND) == {"A@MAIN": b"a", "B@MAIN": b"b"}
        assert opened.estimate_contents(dropped, EstimateKind.DEMAND) == {}
        assert opened.estimate_figures(dropped, EstimateKind.DEMAND)["A@MAIN"]["mean"] == [0.5]
        opened.restore_contents(dropped, [row("A@MAIN", b"old", mean=[0.5])])
        assert opened.estimate_contents(dropped, EstimateKind.DEMAND) == {"A@MAIN": b"old"}


def test_the_version_of_an_origin_is_found_by_all_that_it_was_made_from(warehouse: Warehouse) -> None:
    version = store(warehouse)
    found = warehouse.estimates_from(ORIGIN)
    assert found is not None and found.version == version
    for changed in (
        EstimateOrigin("ds-2-bb", ORIGIN.model_version, ORIGIN.parameters, 7, ORIGIN.code_version),
        EstimateOrigin("ds-1-aa", "demand 3", ORIGIN.parameters, 7, ORIGIN.code_version),
        EstimateOrigin("ds-1-aa", ORIGIN.model_version, {"forecast": {"seed": 8}}, 8, ORIGIN.code_version),
        EstimateOrigin("ds-1-aa", ORIGIN.model_version, ORIGIN.parameters, 7, "0.1.0+cd"),
    ):
        assert warehouse.estimates_from(changed) is None


def test_a_version_that_is_not_there_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(NotFound, match="est-9"):
        warehouse.activate_estimates("est-9", "ana", "", held=True)
    assert warehouse.active_estimates() is None


def test_a_backtest_replaces_the_one_before_and_keeps_what_is_not_defined(warehouse: Warehouse) -> None:
    version = store(warehouse)
    figures = {"pattern": "smooth", "horizon": 13, "mase": 0.8, "wql": None}
    for mase in (0.8, 0.9):
        rows = [{"item_id": "A", "site_id": "MAIN", "origin": "2026-03-31", **figures, "mase": mase}]
        warehouse.put_backtests(version, "ds-1-aa", rows)
    [stored] = warehouse.backtests(version, "A")
    assert (stored["mase"], stored["wql"], stored["rmsse"]) == (0.9, None, None)
    assert stored["origin"].isoformat() == "2026-03-31"
    assert warehouse.backtests(version, "B") == []
