"""Figures, ids, gates, bounds and timelines as the terminal words them."""

from datetime import UTC, datetime, timedelta

import pytest
from plan_views import line_view

from graph.views.orders import VerdictView
from graph.views.plans import OptionView, PlanView
from graph.views.runs import RunStatus, RunView, StepView, TransitionView, Trigger, TriggerKind
from terminal.figures import amount, rough, seconds, share, subject, units
from terminal.gates import examples
from terminal.lines import in_figures
from terminal.plans import bound_in_words, profile
from terminal.screen import aligned, clean, shorten
from terminal.steps import grouped
from terminal.timeline import entries, short, wording

NOW = datetime(2026, 6, 30, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (amount(30_912_000), "30.9 M"),
        (amount(999_960), "1.0 M"),
        (amount(839_307.17), "839.3 k"),
        (amount(9_999.6), "10.0 k"),
        (amount(5_158.4), "5,158"),
        (amount(-96_443.8), "-96.4 k"),
        (amount(7.5), "7.50"),
        (amount(0.0), "0"),
        (units(2470.0), "2,470"),
        (units(0.25), "0.25"),
        (rough(7404.32), "7,404"),
        (rough(0.98277), "0.983"),
        (share(0.9683), "96.8 %"),
        (share(0.94, 0), "94 %"),
        (seconds(0.0123), "12 ms"),
        (seconds(2.345), "2.3 s"),
        (subject("I001|S01|ocean|DC1#0"), "I001 from S01"),
        (subject("run-261124-507f7e/S01/DC1/recommend"), "order S01/DC1"),
        (subject("dataset"), "dataset"),
        (shorten("Elm Hospital Supply", 12), "Elm Hospita…"),
    ],
)
def test_figures_and_ids_are_short_and_keep_their_meaning(shown: str, expected: str) -> None:
    assert shown == expected


def test_a_name_from_outside_cannot_steer_the_terminal() -> None:
    assert clean("Alder\x1b[2J\x07 [bold]Ltd[/]\r") == "Alder\ufffd[2J\ufffd [bold]Ltd[/]\ufffd"


def test_columns_stand_under_each_other_and_only_the_yielding_one_is_cut() -> None:
    rows = [("I001", "x" * 200, "1,000"), ("I02", "Bolt", "5")]
    long, small = aligned(rows, right=(2,), give=1)
    assert len(long) == len(small)
    assert long.startswith("I001  xxx")
    assert long.endswith("…  1,000")
    assert small.endswith("      5")


def verdict(subject: str, reason: str, rule: str = "moq", effect: str = "warn") -> VerdictView:
    return VerdictView(gate="lines", rule=rule, subject=subject, effect=effect, reason=reason)


def test_a_rule_with_one_reason_names_two_subjects_and_counts_the_rest() -> None:
    found = [verdict(f"I{number}|S1|sea|D#0", "Too few.") for number in range(5)]
    assert examples(found) == ["Too few. (I0 from S1, I1 from S1 and 3 others)"]
    assert examples(found[:1]) == ["Too few. (I0 from S1)"]


def test_a_rule_with_several_reasons_gives_two_of_them() -> None:
    found = [verdict(f"I{number}", f"{number} days late.") for number in range(4)]
    assert examples(found) == ["I0: 0 days late.", "I1: 1 days late.", "and 2 others"]
    assert examples(found[:2]) == ["I0: 0 days late.", "I1: 1 days late."]


def plan(cost: float, bound: float) -> PlanView:
    trigger = Trigger(kind=TriggerKind.CLI, actor="kim")
    run = RunView(run_id="run-1", status=RunStatus.WAITING, trigger=trigger, dataset_version="ds-1", started_at=NOW)
    return PlanView(run=run, expected_cost=cost, lower_bound=bound)


def test_the_bound_is_told_as_what_it_is_a_bound_over_priced_candidates() -> None:
    tight = bound_in_words(plan(1_370_381, 1_370_381), "USD")
    assert "No other choice among the priced candidate orders costs less" in tight
    assert "gap" not in tight
    assert "proven" not in tight
    apart = bound_in_words(plan(1_050_000, 1_000_000), "USD")
    assert "can cost less than 1.0 M USD" in apart
    assert "5.0 % above" in apart
    assert bound_in_words(plan(5.0, 0.0), "USD") == "Expected cost over the horizon 5 USD."


def test_an_option_goes_by_its_stance() -> None:
    option = OptionView(
        option_id="A/service_first",
        group="A",
        title="Fewer stock-outs",
        order_value=1.0,
        expected_cost=1.0,
        fill_rate=0.9,
        stockout_probability=0.1,
        risk_exposure=0.0,
        suppliers=("S1",),
    )
    assert profile(option) == "service first"


def test_a_line_gives_its_figures_and_what_the_alternatives_would_cost() -> None:
    told = in_figures(
        line_view(
            inventory_position=238.9,
            reorder_point=550.0,
            lead_time_demand_mean=145.3,
            safety_stock=404.7,
            extra=558.7,
        )
    )
    assert told == (
        "position 239 against level 550 = 145 expected demand over lead time and review + 405 safety stock; "
        "ordering nothing +559 USD"
    )
    assert in_figures(line_view(share_of_paths=0.1)) == "share of paths that need it"


def step(node: str, summary: str = "") -> StepView:
    return StepView(run_id="run-1", node=node, title=node.title(), summary=summary, seconds=0.5, at=NOW)


def test_parallel_steps_become_one_and_others_are_shown_as_soon_as_they_end() -> None:
    seen: list[str] = []

    def steps() -> list[StepView]:
        return [
            step("sense"),
            step("negotiate"),
            step("negotiate"),
            step("negotiate"),
            step("gate_lines"),
            step("order"),
        ]

    def watched():
        for one in steps():
            seen.append(one.node)
            yield one

    groups = grouped(watched())
    first = next(groups)
    assert (first.first.node, seen) == ("sense", ["sense"])
    rest = [(group.first.node, group.times, group.seconds) for group in groups]
    assert rest == [("negotiate", 3, 1.5), ("gate_lines", 1, 0.5), ("order", 1, 0.5)]


def row(seq: int, node: str, event: str = "node", status: str = "ok", attempt: int = 1, **payload: object):
    at = NOW + timedelta(milliseconds=seq)
    return TransitionView(
        seq=seq,
        run_id="run-1",
        node=node,
        attempt=attempt,
        step=1,
        event=event,
        status=status,
        started_at=at,
        ended_at=at + timedelta(milliseconds=2),
        actor="kim",
        payload=dict(payload),
        hash=f"{seq:064d}",
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (row(1, "__start__"), "order branch opens"),
        (row(1, "__start__:needs_person", "route", value="await_approval"), "order branch → await approval"),
        (row(1, "gate_lines:back", "route", value="compute_options"), "gate lines → compute options"),
        (
            row(1, "choose_plan:fan", "route", sent={"negotiate": 11}),
            "choose plan → negotiate × 11, in parallel",
        ),
        (row(1, "order", status="interrupted"), "order pauses"),
        (row(1, "estimate", status="error", attempt=2), "estimate failed, attempt 2"),
        (row(1, "interrupt", "interrupt"), "waits for a person"),
        (row(1, "resume", "resume"), "goes on after a decision"),
    ],
)
def test_each_kind_of_row_reads_as_what_happened(told: TransitionView, expected: str) -> None:
    assert wording(told) == expected


def test_a_payload_is_told_by_its_figures_without_hashes() -> None:
    payload = {
        "approval_id": "ap-1",
        "order_key": "run-1/S05/DC1/recommend",
        "content_hash": "e179",
        "tier": "manager",
        "interrupt_id": "2e84",
        "item_ids": {"count": 40},
        "stopped": "",
        "run_id": "run-1",
    }
    assert short(payload) == "ap-1, S05/DC1, manager, 40 item ids"


def test_neighbours_that_read_alike_are_one_entry_unless_all_rows_are_asked_for() -> None:
    rows = [row(1, "negotiate"), row(2, "negotiate"), row(3, "gate_lines"), row(4, "negotiate")]
    folded = [(entry.what, entry.times, entry.first.seq, entry.last.seq) for entry in entries(rows, fold=True)]
    assert folded == [("negotiate", 2, 1, 2), ("gate lines", 1, 3, 3), ("negotiate", 1, 4, 4)]
    assert len(list(entries(rows, fold=False))) == 4


def test_a_line_that_a_person_decided_before_tells_that_instead_of_figures() -> None:
    levels = {"inventory_position": 5.0, "reorder_point": 9.0, "lead_time_demand_mean": 4.0, "safety_stock": 5.0}
    said = "bob rejected 100 on 2026-07-01 (full); nothing material changed since, so 100 are not proposed again."
    assert in_figures(line_view(**levels)).startswith("position 5 against level 9")
    assert in_figures(line_view(**levels).model_copy(update={"status": "held", "notes": (said, "Rounded.")})) == said
