"""How rules are read and how their reasons read."""

import re
from collections.abc import Hashable, Mapping
from string import Formatter
from typing import Any

import yaml

from tools.domain.errors import BadInput

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
"""What looks like the name of a fact or a limit rather than like words."""


class Shown(dict[str, Any]):
    """Facts as people read them: cents as money, basis points as percent."""

    def __getitem__(self, key: str) -> str:
        value = super().__getitem__(key)
        if key.endswith("_cents"):
            return f"{value / 100:,.0f}"
        if key.endswith("_bp") or "_bp_" in key:
            return f"{value / 100:,.2f}".rstrip("0").rstrip(".") + " %"
        return str(value)


def check_wording(rule_id: str, reason: str, actual: str, limit: str, known: Mapping[str, Any]) -> None:
    """Refuse a rule whose reason, actual or limit names a fact or limit that does not exist."""
    try:
        named = {name for _, name, _, _ in Formatter().parse(reason) if name is not None}
    except ValueError as error:
        raise BadInput(f"Rule {rule_id}: reason: {error}.", remedy="Correct the braces.") from error
    named |= {actual}
    if NAME.fullmatch(limit):
        named |= {limit}
    if unknown := named - set(known):
        raise BadInput(
            f"Rule {rule_id} shows unknown facts or limits: {', '.join(sorted(unknown))}.",
            remedy="See policies/facts.py for what each gate knows.",
        )


class _UniqueKeys(yaml.SafeLoader):
    """YAML where a key that stands twice is an error instead of a silent override."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := {str(key) for key in keys if keys.count(key) > 1}:
            raise yaml.YAMLError(f"{', '.join(sorted(repeated))} stands twice, line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep=deep)


def read_yaml(text: str) -> Any:
    """Plain YAML values; raises yaml.YAMLError when a key is repeated."""
    return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
