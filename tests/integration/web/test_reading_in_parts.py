"""What a page reads is what it shows: the number of statements and of parsed orders does not grow with what waits."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import pytest
from demo_home import demo_session, plan_trigger
from statements import statements

from graph.computation.memo import Memo, MemoByKind
from graph.session import LocalSession
from graph.views.orders import EXTRA_COST, ApprovalView
from store.ledger import approvals, order_book
from tools.domain.errors import NotFound
from web.live import Pulse

PAGE = 2


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSession]:
    """Read only: what changes something opens its own."""
    with demo_session(tmp_path_factory.mktemp("kept")) as opened:
        yield opened


class Counted:
    """How often a function of a module is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
        self.calls = 0
        original = getattr(module, name)

        def counting(*args: object, **named: object) -> object:
            self.calls += 1
            return original(*args, **named)

        monkeypatch.setattr(module, name, counting)


def test_a_page_of_what_waits_parses_its_own_orders_alone(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = len(session.pending())
    assert total > 5 * PAGE
    parsed = Counted(monkeypatch, approvals, "_approval")
    found = session.waiting(PAGE)
    assert (len(found.orders), found.total, parsed.calls) == (PAGE, total, PAGE)


def test_a_part_of_what_waits_is_that_part_of_the_list_and_parses_its_own_orders_alone(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = session.pending()
    assert session.pending(offset=3) == everything[3:]
    parsed = Counted(monkeypatch, approvals, "_approval")
    assert (session.pending(PAGE, 3), parsed.calls) == (everything[3 : 3 + PAGE], PAGE)
    assert session.pending(PAGE, len(everything)) == session.pending(0) == []


def test_an_answer_about_a_run_reads_what_waits_of_that_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_session(tmp_path) as opened:
        runs = [opened.plan().run.run_id, opened.start(plan_trigger("I010"))]
        own = [sum(one.run_id == run_id for one in opened.pending()) for run_id in runs]
        assert len(opened.pending()) == sum(own) > min(own)
        parsed = Counted(monkeypatch, approvals, "_approval")
        seen = [0]
        for run_id in runs:
            opened.explain(run_id)
            seen.append(parsed.calls)
    assert [after - before for before, after in pairwise(seen)] == own


def test_what_was_stored_of_an_order_that_waits_is_read_once_for_the_totals(
    session: LocalSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.waiting(PAGE)
    texts, orders = Counted(monkeypatch, approvals, "unpacked"), Counted(monkeypatch, approvals, "order_in")
    session.waiting(PAGE)
    assert (texts.calls, orders.calls) == (0, PAGE)


def test_many_orders_that_wait_are_read_with_as_many_statements_as_few(tmp_path: Path, session: LocalSession) -> None:
    with demo_session(tmp_path, planned=False) as small:
        unplanned = small.stamp()
        small.start(plan_trigger("I008"))
        assert small.stamp() != unplanned
        fewer = small.waiting(PAGE).total
        few = statements(small, lambda opened: opened.waiting(PAGE))
    assert session.waiting(PAGE).total > 5 * fewer
    assert statements(session, lambda opened: opened.waiting(PAGE)) == few <= 8


def test_the_totals_are_those_of_everything_that_waits(session: LocalSession) -> None:
    pending, found = session.pending(), session.waiting(1)
    assert sum(group.orders for group in found.groups) == found.total == found.matching == len(pending)
    assert sum(group.value for group in found.groups) == pytest.approx(sum(one.value for one in pending))
    assert {group.tier for group in found.groups} == {one.tier for one in pending}
    assert found.left_alone == pytest.approx(left_alone(pending))


def left_alone(pending: list[ApprovalView]) -> dict[str, float]:
    """Each item of a run once, of what is to be placed."""
    placed = [one for one in pending if any(line.intent != "cancel" for line in one.lines)]
    known = {
        (one.currency, one.run_id, line.item_id): line.figures[EXTRA_COST]
        for one in placed
        for line in one.lines
        if EXTRA_COST in line.figures
    }
    currencies = {currency for currency, _, _ in known}
    return {name: sum(value for key, value in known.items() if key[0] == name) for name in currencies}


def test_pages_of_what_waits_are_all_of_it_in_order_and_a_search_finds_by_item_supplier_and_id(
    session: LocalSession,
) -> None:
    pending = session.pending()
    pages = [session.waiting(PAGE, start).orders for start in range(0, len(pending) + PAGE, PAGE)]
    assert [one.approval_id for page in pages for one in page] == [one.approval_id for one in pending]
    assert pages[-1] == () == session.waiting(PAGE, 10_000).orders
    wanted = pending[-1]
    for said in (wanted.lines[0].item_id.lower(), wanted.supplier.upper(), wanted.approval_id):
        assert wanted.approval_id in {one.approval_id for one in session.waiting(500, 0, said).orders}
    assert session.waiting(PAGE, 0, "no such thing").matching == 0


def test_a_line_that_waits_tells_how_long_stock_covers_by_its_own_run(session: LocalSession) -> None:
    (order,) = session.waiting(1).orders
    outlooks = {one.item_id: one for one in session.plan(order.run_id).outlooks}
    assert [line.days_of_cover for line in order.lines] == [outlooks[one.item_id].days_of_cover for one in order.lines]


def test_a_plan_without_series_is_the_same_plan_and_an_outlook_by_itself_has_them(session: LocalSession) -> None:
    whole, small = session.plan(), session.plan(series=False)
    assert (small.lines, small.risks, small.options, small.verdicts) == (
        whole.lines,
        whole.risks,
        whole.options,
        whole.verdicts,
    )
    assert whole.outlooks[0].stock_p50 and whole.outlooks[0].dates
    assert not any(one.stock_p50 or one.dates or one.history for one in small.outlooks)
    assert session.outlook(whole.outlooks[0].item_id) == whole.outlooks[0]
    with pytest.raises(NotFound, match="planned no item"):
        session.outlook("I999")


def test_runs_in_short_are_added_up_again_only_after_the_ledger_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_session(tmp_path) as changing:
        before = changing.runs(3)[0]
        parsed = Counted(monkeypatch, order_book, "stored_order")
        assert changing.runs(3)[0] == before
        assert parsed.calls == 0
        one = next(one for one in changing.pending() if one.lines[0].intent == "place")
        changing.decide(one.approval_id, "reject", "bo", "too early")
        assert changing.runs(3)[0].n_lines == before.n_lines
        assert changing.runs(3)[0].pending_approvals == before.pending_approvals - 1


def test_the_stamp_differs_after_every_change_and_after_nothing_else(tmp_path: Path) -> None:
    with demo_session(tmp_path) as changing:
        seen = [changing.stamp()]
        changing.plan(series=False), changing.waiting(), changing.journal(), changing.decided()
        assert changing.stamp() == seen[0]
        placed, other = [one for one in changing.pending() if one.lines[0].intent == "place"][:2]
        for change in (
            lambda: changing.decide(placed.approval_id, "approve", "bo"),
            lambda: changing.decide(other.approval_id, "reject", "bo", "too early"),
            lambda: changing.reconsider(other.approval_id, "bo"),
            lambda: changing.ask("what is at risk?", actor="ana"),
            lambda: changing.halt("bo"),
            lambda: changing.halt("bo", on=False),
            lambda: changing.observe(1),
            lambda: changing.rollback(changing.datasets()[-1].version, "ada"),
        ):
            change()
            seen.append(changing.stamp())
        assert len(set(seen)) == len(seen)


def test_open_pages_read_nothing_while_nothing_changes(session: LocalSession, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = Pulse(session, seconds=0)
    first, plan = pulse.read(), pulse.plan()
    looked = Counted(monkeypatch, pulse, "_look")
    read = Counted(monkeypatch, session, "plan")
    assert pulse.read(fresh=True) is first
    assert pulse.plan() is plan
    assert (looked.calls, read.calls) == (0, 0)


def test_what_is_kept_is_found_while_something_else_is_computed() -> None:
    memo, begun, ended = Memo(4), Event(), Event()
    memo.of("dataset", lambda: 1)

    def compute() -> int:
        begun.set()
        assert ended.wait(30)
        return 2

    planning = Thread(target=lambda: memo.of("plan", compute))
    planning.start()
    assert begun.wait(30)
    found: list[int] = []
    reading = Thread(target=lambda: found.append(memo.of("dataset", lambda: 3)))
    reading.start()
    reading.join(10)
    ended.set()
    planning.join()
    assert found == [1]


def test_a_memo_gives_up_what_was_used_longest_ago_and_makes_it_anew() -> None:
    memo, made = Memo(2), []
    for key in (1, 2, 1, 3, 1, 2):
        memo.of(key, lambda key=key: made.append(key))
    assert made == [1, 2, 3, 2]


def test_of_each_kind_as_many_values_stay_as_were_asked_for() -> None:
    memo, made = MemoByKind(), []
    for kind, number, kept in (("small", 1, 2), ("large", 1, 1), ("small", 2, 2), ("large", 2, 1)):
        memo.of((kind, number), lambda kind=kind, number=number: made.append((kind, number)), kept)
    assert [memo.has((kind, 1), kept) for kind, kept in (("small", 2), ("large", 1))] == [True, False]
    assert len(made) == 4
