"""kill -9 before every writing statement of a drain, and many drains at once: each action happens exactly once."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from loaded_command import loaded_command
from sandbox_world import LEAD_TIMES, placing, queued, small_dataset

from erp.outbox import Outbox
from erp.sandbox import SandboxErp
from store.operations import Operations

VICTIM = Path(__file__).with_name("outbox_victim.py")


def test_a_process_killed_before_any_statement_loses_and_repeats_nothing(tmp_path: Path) -> None:
    run = loaded_command().run([str(VICTIM), str(tmp_path), "1", "1"], os.environ, tmp_path, 240)
    assert run.returncode == 0, run.stderr
    outcomes = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(outcomes) > 20
    assert [found["killed"] for found in outcomes] == [9] * (len(outcomes) - 1) + [0]
    for found in outcomes:
        where = f"killed before statement {found['statement']}"
        assert found["orders"] == [["k1"]], where
        assert [quantity for quantity, _ in found["lines"]] == [70, 20], where
        assert all(status in ("sent", "confirmed") for _, status in found["lines"]), where
        assert found["outbox"] == [
            ["k1", "done", "SB000001"],
            ["a1", "done", "SB000001"],
        ], where


def test_eight_threads_draining_one_outbox_make_no_duplicate(tmp_path: Path) -> None:
    erp = SandboxErp(tmp_path / "erp.sqlite")
    erp.seed_from(small_dataset(), LEAD_TIMES)
    keys = [f"k{number}" for number in range(60)]
    with Operations(f"sqlite:///{tmp_path / 'operations.sqlite'}") as operations:
        for key in keys:
            operations.enqueue(queued(placing(key)))
        start = threading.Barrier(8)

        def work() -> tuple[str, ...]:
            start.wait()
            return Outbox(operations, erp).drain().done

        with ThreadPoolExecutor(8) as pool:
            done = [key for keys in pool.map(lambda _: work(), range(8)) for key in keys]
        assert sorted(done) == sorted(keys)
        assert len(operations.outbox(status="done")) == 60
    assert erp.health()["orders"] == 60
    erp.close()


def test_two_drains_of_the_same_action_at_once_make_one_order(tmp_path: Path) -> None:
    """Leases of no length: every thread may take what another is still sending."""
    erp = SandboxErp(tmp_path / "erp.sqlite")
    other = SandboxErp(tmp_path / "erp.sqlite")
    erp.seed_from(small_dataset(), LEAD_TIMES)
    with Operations(f"sqlite:///{tmp_path / 'operations.sqlite'}") as operations:
        for number in range(15):
            operations.enqueue(queued(placing(f"k{number}")))
        start = threading.Barrier(4)

        def work(adapter: SandboxErp) -> None:
            start.wait()
            Outbox(operations, adapter, lease_seconds=-1.0).drain()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, (erp, other, erp, other)))
        rows = operations.outbox()
        assert {row.status for row in rows} == {"done"}
        assert max(row.attempts for row in rows) > 1
        assert len({row.erp_ref for row in rows}) == 15
    assert erp.health()["orders"] == 15
    erp.close()
    other.close()
