"""Edits as they are given on the command line: an item or a line, and its new quantity."""

import pytest
from plan_views import approval_view, line_view

from terminal.given import edits_of
from tools.domain.errors import BadInput

ONE = approval_view(line_view("I1"))
TWICE = approval_view(line_view("I1"), line_view("I1"), line_view("I2"))


def test_an_item_stands_for_its_line_and_a_line_for_itself() -> None:
    assert edits_of(["I1=240"], ONE) == {"I1#0": 240.0}
    assert edits_of(["I1#0=1.5"], ONE) == {"I1#0": 1.5}
    assert edits_of([], ONE) is None


def test_an_item_with_two_lines_names_none_of_them() -> None:
    assert edits_of(["I1=240", "I2=3"], TWICE) == {"I1": 240.0, "I2#0": 3.0}


@pytest.mark.parametrize("wrong", ["I1", "I1=many", "=3", ""])
def test_a_malformed_edit_is_named_with_an_example(wrong: str) -> None:
    with pytest.raises(BadInput, match=f"--edit '{wrong}' is not ITEM=QUANTITY") as refused:
        edits_of([wrong], ONE)
    assert "--edit I1=240" in refused.value.remedy
