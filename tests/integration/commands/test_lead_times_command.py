"""`jit lead-times` and the answers of the chat, on the demo world and on real deliveries."""

import json
from datetime import date
from pathlib import Path

import pytest
from demo_home import demo_home, demo_session
from jit_command import Jit
from shared_data import shared_data

from graph.session import LocalSession

WIDEST = 110


@pytest.fixture(scope="module")
def jit(tmp_path_factory: pytest.TempPathFactory) -> Jit:
    """A home with the demo world imported and planned once."""
    return Jit(demo_home(tmp_path_factory.mktemp("leads"), planned=True))


def told(jit: Jit, *arguments: str | Path) -> str:
    done = jit(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_suppliers_come_with_the_worst_bias_first_within_the_width(jit: Jit) -> None:
    view = json.loads(told(jit, "lead-times", "--json"))
    rows = view["suppliers"]
    biases = [row["bias"] for row in rows if row["bias"] is not None]
    assert biases == sorted(biases, reverse=True) and len(biases) > 10
    for row in rows:
        assert row["bias"] is None or row["bias"] == pytest.approx(row["taken_days"] / row["quoted_days"] - 1, abs=0.02)
    printed = told(jit, "lead-times").splitlines()
    assert [line.split()[0] for line in printed[1 : len(rows) + 1]] == [row["supplier_id"] for row in rows]
    assert [line for line in printed if len(line) > WIDEST] == []


def test_a_suppliers_open_orders_come_with_the_chance_of_arrival_by_the_promised_day(jit: Jit) -> None:
    worst = json.loads(told(jit, "lead-times", "--json"))["suppliers"][0]
    view = json.loads(told(jit, "lead-times", worst["supplier_id"], "--json"))
    assert len(view["orders"]) == worst["open_orders"] == view["open_orders"]
    ages = [order["older_than"] for order in view["orders"]]
    assert ages == sorted(ages, reverse=True) and ages[0] == worst["latest_older_than"]
    as_of = date.fromisoformat(view["as_of"])
    for order in view["orders"]:
        assert as_of < date.fromisoformat(order["p10_date"]) <= date.fromisoformat(order["p90_date"])
        assert (order["due_probability"] == 0) or date.fromisoformat(order["due_date"]) > as_of
    printed = told(jit, "lead-times", worst["supplier_id"])
    for part in ("Probability of arrival by day", "Open orders at", view["estimate_version"], "│"):
        assert part in printed
    assert [line for line in printed.splitlines() if len(line) > WIDEST] == []


def test_offers_show_the_lead_times_that_the_plan_uses(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        run = session.plan().run
        view = session.lead_times("I004", run.versions["estimate"])
        stored = session.forecast("I004", version=run.versions["estimate"]).lead_time_demand
        by_offer = {offer.offer_id: offer for offer in view.offers}
        assert stored
        for one in stored:
            offer = by_offer[one.offer_id]
            shown = (offer.p10_days, offer.p50_days, offer.p90_days)
            assert shown == tuple(one.lead_time_days[level] for level in ("0.1", "0.5", "0.9"))


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (("lead-times", "I-004"), "There is no supplier, item or open order I-004", "I004"),
        (("lead-times", "alder"), "There is no supplier, item or open order alder", "S01"),
        (("lead-times", "--version", "est-9-none"), "no estimate version est-9-none", "jit estimates"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(
    jit: Jit, arguments: tuple[str, ...], message: str, remedy: str
) -> None:
    done = jit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr and remedy in done.stderr


def test_an_empty_home_says_what_to_do_first(tmp_path: Path) -> None:
    done = Jit(tmp_path / "home")("lead-times")
    assert done.returncode == 2
    assert "Nothing has been imported yet." in done.stderr and "jit import FOLDER" in done.stderr


def asked(session: LocalSession, question: str) -> tuple[str, tuple[str, ...]]:
    answer = session.ask(question, actor="ana")
    return answer.text, tuple(answer.sources)


def test_the_chat_tells_how_reliable_a_supplier_is_and_when_an_order_arrives(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        worst = session.lead_times().suppliers[0]
        text, sources = asked(session, f"How reliable is supplier {worst.supplier_id}?")
        assert (text, sources) == (" ".join(worst.sentences), (f"lead_time:{worst.supplier_id}",))
        by_name, _ = asked(session, f"how reliable is {worst.supplier}?")
        assert by_name == text
        order = session.lead_times(worst.supplier_id).orders[0]
        text, sources = asked(session, f"When will order {order.order_id} arrive?")
        assert (text, sources) == (order.sentence, (f"arrival:{order.order_id}:{order.item_id}",))
        text, _ = asked(session, "When will order PO-77123 arrive?")
        assert text.startswith("No stored fact is about PO-77123.")
        text, sources = asked(session, "Which suppliers are unreliable?")
        assert sources[0] == f"lead_time:{worst.supplier_id}"
        text, sources = asked(session, "Which open orders are late?")
        assert text.startswith("Oldest against their own lead time first:")
        late = {f"arrival:{one.order_id}:{one.item_id}" for one in session.lead_times().orders if one.overdue_days}
        assert set(sources) <= late


def test_other_questions_are_answered_as_before(tmp_path: Path) -> None:
    with demo_session(tmp_path) as session:
        line = session.plan().lines[0]
        for question in (f"Why so much of {line.item_id}?", "What waits for approval and why?", "largest orders"):
            _, sources = asked(session, question)
            assert sources
            assert [one for one in sources if one.startswith(("lead_time:", "arrival:"))] == []


def test_on_real_deliveries_the_wholesaler_that_slowed_down_comes_first(tmp_path: Path) -> None:
    folder = shared_data("demo_rdc")
    jit = Jit(tmp_path / "home")
    told(jit, "import", folder, "--as-of", "2013-12-31")
    view = json.loads(told(jit, "lead-times", "--json"))
    worst = view["suppliers"][0]
    assert worst["supplier_id"] == "S10" and worst["bias"] > 1
    assert worst["regime_since"] is not None and worst["regime_factor"] > 2
    assert view["open_orders"] == 78
    one = json.loads(told(jit, "lead-times", "S10", "--json"))
    known = [order for order in one["orders"] if order["expected_date"]]
    unknown = [order for order in one["orders"] if not order["expected_date"]]
    assert len(known) + len(unknown) == worst["open_orders"] and known and unknown
    assert {order["due_by"] for order in known} == {"quoted"}, "no day is promised in these deliveries"
    assert all("offers no such item" in order["fallback"] for order in unknown)
    printed = told(jit, "lead-times", "S10")
    assert [line for line in printed.splitlines() if len(line) > WIDEST] == []
