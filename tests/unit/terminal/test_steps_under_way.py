"""The spinner says how far a step is; what is printed and given back are the steps that ended."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from graph.views.runs import UNDER_WAY, StepView
from terminal import steps

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def step(node: str, summary: str, status: str = "ok") -> StepView:
    return StepView(run_id="run-1", node=node, title=node, summary=summary, seconds=1.0, status=status, at=NOON)


def test_how_far_a_step_is_is_said_beside_what_it_does_and_never_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []

    @contextmanager
    def listening(text: str, *, quiet: bool) -> Generator[Callable[[str], None]]:
        said.append(text)
        yield said.append

    monkeypatch.setattr(steps, "working", listening)
    told = [
        step("sense", ""),
        step("compute_options", "64 of 2,000 done", UNDER_WAY),
        step("compute_options", "1,200 of 2,000 done", UNDER_WAY),
        step("compute_options", "13 options priced."),
    ]
    done = steps.show_steps(iter(told))
    assert [one.summary for one in done] == ["", "13 options priced."]
    assert said == [
        "Reading the dataset (step 1 of 14)",
        "Checking data quality (step 2 of 14)",
        "Pricing options (step 6 of 14): 64 of 2,000 done",
        "Pricing options (step 6 of 14): 1,200 of 2,000 done",
        "Choosing a plan (step 7 of 14)",
    ]
    printed = capsys.readouterr().out
    assert "13 options priced." in printed and "of 2,000" not in printed
