"""The documentation against the code: what it names exists, and what exists is named."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
import typer
from pydantic import BaseModel

import app
from graph.run.build import build, order_branch
from graph.settings import Settings
from policies.facts import Facts
from policies.gates import FACTS_OF_GATE, RuleSet, default_rules
from store.ingest.files.shapes import SHAPES, Column
from store.schema import CANONICAL
from tools.domain.catalogue import Item, Link, Offer, Site, Supplier
from tools.domain.orders import PurchaseOrder, Receipt
from tools.ordering.profiles import PROFILES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = ("agents", "commands", "erp", "evals", "graph", "policies", "store", "terminal", "tools", "web")
RECORDS: Mapping[str, type[BaseModel]] = {
    "items": Item,
    "suppliers": Supplier,
    "sites": Site,
    "offers": Offer,
    "purchase_orders": PurchaseOrder,
    "receipts": Receipt,
    "links": Link,
}
FILLED_ON_IMPORT = ("site_id", "currency")
"""Columns whose default depends on the rest of the folder."""
KINDS = {
    "text": "text",
    "number": "number",
    "integer": "whole number",
    "date": "date",
    "flag": "true or false",
    "breaks": "price breaks",
}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def rows_under(page: Path, heading: str) -> list[list[str]]:
    """Cells of the table rows between a heading and the next one, without the header."""
    body = re.split(r"^#+ ", read(page).partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    assert body, f"{name_of(page)} has no heading {heading!r}"
    lines = [line for line in body.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def rows_of(page: Path) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in read(page).splitlines()
        if line.startswith("|") and "---" not in line
    ]


def bare(cell: str) -> str:
    return cell.strip("`*")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", read(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_to_a_heading_in_it(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def named_commands(page: Path) -> Iterator[tuple[str, str]]:
    """(command, the rest of its line) wherever a page shows `jit NAME` as code."""
    text = read(page)
    blocks = re.findall(r"```[a-z]*\n(.*?)```", text, flags=re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines()]
    shown += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in shown:
        found = re.search(r"(?:^|[\s;(])(?:\.venv/bin/)?jit ([a-z][a-z-]*)([^#]*)", line)
        if found:
            yield found[1], found[2]


@pytest.fixture(scope="module")
def commands() -> Mapping[str, click.Command]:
    group = typer.main.get_command(app.cli)
    found = getattr(group, "commands", {})
    assert found
    return found


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_every_jit_command_and_option_shown_exists(document: Path, commands: Mapping[str, click.Command]) -> None:
    for name, rest in named_commands(document):
        assert name in commands, f"{name_of(document)} shows `jit {name}`"
        known = {option for parameter in commands[name].params for option in parameter.opts} | {"--help"}
        for option in re.findall(r"(?:^|\s)(--[a-z][a-z-]*)", rest):
            assert option in known, f"{name_of(document)} shows `jit {name} {option}`"


def test_commands_are_really_looked_for() -> None:
    assert {"plan", "decide", "doctor"} <= {name for page in PAGES for name, _ in named_commands(page)}


def test_every_make_verb_and_benchmark_that_is_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    text = "\n".join(map(read, PAGES))
    verbs = set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE))
    assert {"demo", "test", "serve"} <= verbs
    assert verbs <= targets
    for benchmark in re.findall(r"python -m benchmarks\.([a-z_]+)", text):
        assert (ROOT / "benchmarks" / f"{benchmark}.py").is_file(), benchmark


def test_every_file_of_ours_that_is_named_as_code_exists() -> None:
    folders = "docs|tests|commands|graph|policies|erp|store|tools|agents|evals|web|scripts"
    pattern = rf"`((?:{folders})/[\w./]+\.(?:py|yaml|md))`"
    named = {path for page in PAGES for path in re.findall(pattern, read(page))}
    assert "policies/facts.py" in named
    assert {path for path in named if not (ROOT / path).is_file()} == set()


def holds(column: Column) -> str:
    """What docs/data-schema.md must say that a column holds."""
    if column.choices:
        return " / ".join(column.choices)
    bounds = (("≥", column.low), (">", column.above), ("≤", column.high))
    return " ".join([KINDS[column.kind], *(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)])


@pytest.mark.parametrize("table", SHAPES)
def test_every_column_is_documented_with_its_type_bounds_and_whether_it_is_required(table: str) -> None:
    documented = {bare(row[0]): row for row in rows_under(DOCS / "data-schema.md", f"### {table}")}
    assert list(documented) == list(SHAPES[table].names)
    for column in SHAPES[table].columns:
        name, kept, default, meaning = documented[column.name]
        assert kept == holds(column), column.name
        assert name.startswith("**") == column.required, column.name
        assert (default == "required") == column.required, column.name
        assert meaning, column.name


def test_every_table_of_the_warehouse_schema_is_documented() -> None:
    text = read(DOCS / "data-schema.md")
    assert [table for table in CANONICAL if f"\n### {table}\n" not in text] == []


@pytest.mark.parametrize("table", RECORDS)
def test_documented_defaults_are_those_of_the_records(table: str) -> None:
    documented = {bare(row[0]): row[2] for row in rows_under(DOCS / "data-schema.md", f"### {table}")}
    for column in SHAPES[table].columns:
        if column.required or column.name in FILLED_ON_IMPORT:
            continue
        assert documented[column.name] == default_in_words(RECORDS[table], column.name), column.name


def default_in_words(record: type[BaseModel], name: str) -> str:
    value: object = record.model_fields[name].default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    return "empty" if value in ("", ()) else str(value)


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_every_setting_is_documented_with_its_variable_and_default(setting: str) -> None:
    documented = {row[0]: row for row in rows_under(DOCS / "getting-started.md", "## Settings")}
    field = Settings.model_fields[setting]
    assert setting in documented
    _, variable, default, meaning = documented[setting]
    assert bare(variable) == str(field.validation_alias or f"JIT_{setting.upper()}")
    secret = "Secret" in str(field.annotation)
    assert default == ("" if secret else str(field.default))
    assert meaning


def test_every_jit_variable_that_is_named_is_a_setting() -> None:
    known = {f"JIT_{name.upper()}" for name in Settings.model_fields} | {"JIT_DEBUG"}
    named = {variable for page in PAGES for variable in re.findall(r"\bJIT_[A-Z][A-Z_]+\b", read(page))}
    assert named - known == set()


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return default_rules()


def test_every_built_in_rule_stands_in_the_table_with_its_gate_effect_and_tier(rules: RuleSet) -> None:
    documented = {bare(row[0]): row[1:4] for row in rows_under(DOCS / "policies.md", "## The built-in rules")}
    expected = {
        rule.id: [rule.gate.value, rule.effect.value, rule.tier.value if rule.tier else ""] for rule in rules.rules
    }
    assert documented == expected


def test_every_limit_is_documented_with_its_value(rules: RuleSet) -> None:
    documented = {bare(row[0]): int(row[1]) for row in rows_under(DOCS / "policies.md", "## The built-in limits")}
    assert documented == dict(rules.limits)


@pytest.mark.parametrize("gate", FACTS_OF_GATE)
def test_every_fact_of_a_gate_is_documented(gate: str) -> None:
    kind: type[Facts] = FACTS_OF_GATE[next(known for known in FACTS_OF_GATE if known == gate)]
    documented = [bare(row[0]) for row in rows_under(DOCS / "policies.md", f"### Facts of gate `{gate}`")]
    assert documented == list(kind.model_fields)


def test_every_dependency_has_its_line_with_a_reason_and_the_alternatives() -> None:
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    names = [re.split(r"[<>=\[;~! ]", one)[0] for one in declared]
    page = DOCS / "dependencies.md"
    documented = {row[0]: row[1:] for row in [*rows_under(page, "## Runtime"), *rows_under(page, "## Development")]}
    assert sorted(documented) == sorted(names)
    assert [name for name, (purpose, reason) in documented.items() if not purpose or not reason] == []


def test_every_error_code_is_documented_and_no_other() -> None:
    raised = {"JIT-000"}
    for folder in SOURCES:
        for file in (ROOT / folder).rglob("*.py"):
            raised |= set(re.findall(r'code = "(JIT-\d{3})"', read(file)))
    documented = {row[0] for row in rows_under(DOCS / "operations.md", "## Error codes")}
    assert documented == raised


def test_every_node_of_the_run_and_every_profile_is_explained() -> None:
    text = read(DOCS / "concepts.md")
    nodes = {*build().nodes, *order_branch().nodes} - {"__start__"}
    assert [name for name in sorted(nodes) if f"`{name}`" not in text] == []
    assert [name for name in PROFILES if f"| `{name}` |" not in text] == []


def test_the_picture_of_the_flow_names_the_nodes_and_can_be_read_aloud() -> None:
    picture = ElementTree.parse(DOCS / "flow.svg").getroot()  # noqa: S314 - our own file
    texts = [text for text in ("".join(found.itertext()) for found in picture.iter()) if text]
    assert picture.get("role") == "img"
    for identifier in str(picture.get("aria-labelledby")).split():
        assert any(found.get("id") == identifier and found.text for found in picture.iter())
    for node in build().nodes:
        if node not in ("__start__", "order"):
            assert node.replace("_", " ") in texts, node


def test_every_decision_record_is_listed_and_has_its_four_parts() -> None:
    records = sorted((DOCS / "adr").glob("0*.md"))
    assert len(records) >= 4
    listed = read(DOCS / "adr" / "README.md")
    for record in records:
        assert f"({record.name})" in listed
        for part in ("## Context", "## Decision", "## Consequences", "## Looked at"):
            assert part in read(record), f"{record.name}: {part}"


def test_contributing_stays_short_and_names_every_folder_of_code() -> None:
    text = read(ROOT / "CONTRIBUTING.md")
    assert len(text.splitlines()) <= 60
    assert [folder for folder in (*SOURCES, "benchmarks", "tests") if f"`{folder}/`" not in text] == []


def test_no_glossary_term_stands_twice() -> None:
    terms = [row[0] for row in rows_of(DOCS / "glossary.md") if row[0] != "term"]
    assert sorted({term for term in terms if terms.count(term) > 1}) == []
    assert len(terms) > 40


def test_no_picture_is_heavy() -> None:
    pictures = [*DOCS.glob("*.png"), *DOCS.glob("*.svg")]
    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size > 300_000] == []
