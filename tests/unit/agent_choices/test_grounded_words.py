import pytest

from agents.grounding import numbers_in, unknown_numbers

KNOWN = '{"id": "O12#0", "cost": 1234.5678, "fill": 0.953, "on": "2026-01-15", "name": "Efavirenz 600mg, 30 Tabs"}'


@pytest.mark.parametrize(
    "words",
    [
        "costs 1,234.57 or about 1,235",
        "a fill rate of 95% or 95.3 per cent",
        "0.95 of demand",
        "1.2k in all",
        "order O12 on 2026-01-15",
        "600 mg, 600mg, 30 tabs",
        "no number at all",
        "two of the three options",
    ],
)
def test_figures_of_the_document_may_be_rounded_and_written_as_percentages(words: str) -> None:
    assert unknown_numbers(words, KNOWN) == ()


@pytest.mark.parametrize(
    ("words", "strange"),
    [
        ("order 9,999 units", ("9,999",)),
        ("saves 12k", ("12k",)),
        ("a 953 rating", ("953",)),
        ("95 units", ("95",)),
        ("between 30-99999", ("30-99999",)),
        ("by 2026-01-99", ("2026-01-99",)),
        ("order O13", ("O13",)),
        ("a dozen, or twenty", ("dozen", "twenty")),
        ("3x cheaper at 96 %", ("3x", "96")),
    ],
)
def test_a_number_that_was_not_computed_is_found(words: str, strange: tuple[str, ...]) -> None:
    assert unknown_numbers(words, KNOWN) == strange


def test_digits_inside_ids_are_no_numbers() -> None:
    assert numbers_in("I005 of S03 costs 12.50, ap-77 waits") == ("12.50",)
    assert unknown_numbers("ap-77", "ap-77 waits") == ()
    assert unknown_numbers("ap-78", "ap-77 waits") == ("ap-78",)
    assert unknown_numbers("S01-related", "S01 waits") == ()
    assert unknown_numbers("5 and 77", "I005 and ap-77 wait") == ("5", "77")
