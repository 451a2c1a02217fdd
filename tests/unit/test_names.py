"""Names that a reader would take for one another are one person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.domain.names import may_be_taken_for

ALIKE = [
    ("ana", "аna"),
    ("ana", "\u0430n\u0430"),
    ("Ana Lee", " ANA  LEE"),
    ("bill", "bi11"),
    ("Bill", "BIll"),
    ("Ola", "0la"),
    ("maria", "rnaria"),
    ("oscar", "\u03bfscar"),
    ("ａna", "ana"),
    ("pope", "\u0440\u043e\u0440\u0435"),
]
APART = [("ana", "anna"), ("bob", "rob"), ("carla", "karla"), ("иван", "иветта"), ("jörg", "jorg"), ("li", "lee")]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_alike_are_one_person(one: str, other: str) -> None:
    assert may_be_taken_for(one, other) and may_be_taken_for(other, one)


@pytest.mark.parametrize(("one", "other"), APART)
def test_different_names_are_different_people(one: str, other: str) -> None:
    assert not may_be_taken_for(one, other)


@given(st.text(min_size=1))
def test_a_name_is_taken_for_itself_in_any_case(name: str) -> None:
    assert may_be_taken_for(name, name)
    assert may_be_taken_for(name, f" {name} ")
