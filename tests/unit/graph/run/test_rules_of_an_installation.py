"""A rule file that the program could not work with is refused when it is opened, with what to do."""

import re
from pathlib import Path

import pytest

from graph.rules import NEEDED_LIMITS, rules_of
from graph.settings import Settings
from tools.domain.errors import BadInput

DOCS = Path(__file__).parents[4] / "docs" / "policies.md"


def shown_in_docs() -> str:
    return DOCS.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]


def opened(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_bytes(text)
    rules_of(Settings(home=tmp_path, policy_file=tmp_path / "rules.yaml"))


@pytest.mark.parametrize("limit", NEEDED_LIMITS)
def test_a_file_without_a_limit_that_the_program_reads_is_refused(limit: str, tmp_path: Path) -> None:
    unused = re.sub(rf"(?m)^  {limit}: .*\n", "", shown_in_docs())
    with pytest.raises(BadInput, match=rf"has no limit {limit}\. Take them over from default\.yaml"):
        opened(unused.encode(), tmp_path)


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"The rule file .*rules\.yaml cannot be read: 'utf-8' codec"):
        opened("name: Grün\nlimits: {}\nrules: []\n".encode("latin-1"), tmp_path)


def test_the_file_that_the_docs_show_can_be_used(tmp_path: Path) -> None:
    opened(shown_in_docs().encode(), tmp_path)
