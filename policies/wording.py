"""How rules are read and how their reasons read."""

import re
from collections.abc import Hashable, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any

import yaml

from tools.domain.errors import BadInput

if TYPE_CHECKING:
    from yaml import CSafeLoader as FastLoader
else:  # a PyYAML that was built by hand may lack the library in C
    FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

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
    """Refuse a rule whose reason, actual or limit names a fact or limit that does not exist.

    A format or a conversion inside the braces is refused too: it could fail when the rule fires.
    """
    try:
        shown = [(name, form or kind) for _, name, form, kind in Formatter().parse(reason) if name is not None]
    except ValueError as error:
        raise BadInput(f"Rule {rule_id}: reason: {error}.", remedy="Correct the braces.") from error
    if formatted := [name for name, form in shown if form]:
        raise BadInput(f"Rule {rule_id}: reason: {formatted[0]} has a format.", remedy="Write only names in braces.")
    named = {name for name, _ in shown} | {actual}
    if NAME.fullmatch(limit):
        named |= {limit}
    if unknown := named - set(known):
        raise BadInput(
            f"Rule {rule_id} shows unknown facts or limits: {', '.join(sorted(unknown))}.",
            remedy="See policies/facts.py for what each gate knows.",
        )


class _UniqueKeys(yaml.constructor.SafeConstructor):
    """A key that stands twice is an error instead of a silent override."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := {str(key) for key in keys if keys.count(key) > 1}:
            raise yaml.YAMLError(f"{', '.join(sorted(repeated))} stands twice, line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep=deep)


class _Fast(_UniqueKeys, FastLoader):
    """By the library in C, where it is there."""


class _Telling(_UniqueKeys, yaml.SafeLoader):
    """Ten times slower; its errors name the place more closely."""


def read_yaml(text: str) -> Any:
    """Plain YAML values; raises yaml.YAMLError when a key is repeated."""
    try:
        return _read(text, _Fast)
    except yaml.YAMLError:
        return _read(text, _Telling)


def _read(text: str, loader: type[_Fast | _Telling]) -> Any:
    return yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
