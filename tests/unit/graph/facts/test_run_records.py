"""Small pieces of a run: what the journal keeps, what is wanted together, how offers are called."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from langgraph.types import Send
from order_cases import order_of
from sandbox_world import OFFER, small_dataset

from graph.computation.desk import DeskSettings
from graph.facts.companions import with_waiting_companions
from graph.incoming.triggers import with_force
from graph.reading.naming import in_plain_words
from graph.run.transitions import compact, stable_hash
from tools.domain.alerts import Alert, AlertKind
from tools.domain.catalogue import Offer
from tools.domain.datasets import Period
from tools.domain.orders import Order, OrderStatus

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _waiting(*item_ids: str) -> Order:
    return order_of(*item_ids, status=OrderStatus.WAITING)


def _alert(**changed: object) -> Alert:
    known = {"alert_id": "m", "kind": "delay", "node_id": "S1", "delay_days": 45, "received_at": NOON}
    return Alert.model_validate({**known, **changed})


def test_a_large_value_is_kept_by_its_size_and_a_small_record_by_what_it_says() -> None:
    update = {
        "orders": [1, 2, 3],
        "choice": {str(n): n for n in range(20)},
        "stopped": "",
        "answer": {"decision": "edit"},
    }
    assert compact(update) == {
        "orders": {"count": 3},
        "choice": {"keys": 20},
        "stopped": "",
        "answer": {"decision": "edit"},
    }


def test_who_decided_stands_at_the_top_without_empty_fields() -> None:
    update = {"agreements": [1], "decisions": [{"decided_by": "rules", "model": "", "tokens_in": 0}]}
    assert compact(update) == {"agreements": {"count": 1}, "decided_by": "rules"}


def test_a_fan_out_is_kept_by_how_often_it_went_where() -> None:
    assert compact([Send("negotiate", {}), Send("negotiate", {}), Send("order", {})]) == {
        "sent": {"negotiate": 2, "order": 1}
    }


def test_items_that_share_a_waiting_order_are_wanted_together_in_turn() -> None:
    pending = [_waiting("A", "B"), _waiting("B", "C"), _waiting("D")]
    assert with_waiting_companions({"A"}, pending) == {"A", "B", "C"}
    assert with_waiting_companions(set(), pending) == set()


def test_an_offer_is_called_by_its_supplier_and_way_of_transport() -> None:
    dataset = small_dataset()
    assert in_plain_words(f"a level of 5 for {OFFER.offer_id}; late", dataset) == "a level of 5 for S1; late"
    assert in_plain_words("X|Y|sea|Z stays", dataset) == "X|Y|sea|Z stays"


def test_however_many_sentences_are_named_the_offers_are_looked_through_once() -> None:
    class Counted(tuple[Offer, ...]):
        looked_through = 0

        def __iter__(self) -> Iterator[Offer]:
            Counted.looked_through += 1
            return super().__iter__()

    dataset = replace(small_dataset(), offers=Counted([OFFER]))
    for _ in range(50):
        in_plain_words(f"from {OFFER.offer_id} or {OFFER.offer_id}", dataset)
    assert Counted.looked_through == 1


@pytest.mark.parametrize(
    ("changed", "until"),
    [
        ({}, date(2026, 4, 16)),
        ({"delay_days": 3}, date(2026, 4, 1)),
        ({"until": date(2026, 3, 9)}, date(2026, 3, 9)),
        ({"kind": AlertKind.DISCONTINUED}, None),
    ],
)
def test_an_alert_is_in_force_for_its_delay_and_a_month_at_least(
    changed: dict[str, object], until: date | None
) -> None:
    held = with_force(_alert(**changed), date(2026, 3, 2))
    assert (held.starts, held.until) == (date(2026, 3, 2), until)


def test_desk_settings_come_back_from_the_versions_of_a_run() -> None:
    settings = DeskSettings(seed=3, max_cover_days=35)
    again = DeskSettings.of({**settings.as_versions(), "policy": "abc"})
    assert again == settings
    assert again.ordering(Period.WEEK).max_cover_periods == pytest.approx(5)
    assert DeskSettings.of({**settings.as_versions(), "forecast_engine": "statsforecast"}) == settings


def test_a_hash_tells_models_apart_by_every_field_wherever_they_stand() -> None:
    waiting = order_of("I001")
    changed = waiting.model_copy(update={"reason": "another"})
    made = [
        stable_hash(value)
        for order in (waiting, changed)
        for value in (
            order,
            {"order": order},
            [order],
            Send("order", {"order": order}),
            Send("other", {"order": order}),
        )
    ]
    assert len(set(made)) == len(made)
    assert stable_hash({"b": waiting, "a": 1}) == stable_hash({"a": 1, "b": waiting.model_copy(deep=True)})
