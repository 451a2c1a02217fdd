"""What makes one estimate version differ from another, and what a replay says of the one it used."""

from collections.abc import Iterator, Mapping
from typing import Any

from graph.computation.estimates import Estimates
from store.estimates import EstimateInfo


def differences(info: EstimateInfo, before: EstimateInfo) -> tuple[str, ...]:
    """What differs from the version before: dataset, models, code, parameters; or nothing but the clock."""
    pairs = (
        ("dataset", before.origin.dataset_version, info.origin.dataset_version),
        ("models", before.origin.model_version, info.origin.model_version),
        ("code", before.origin.code_version, info.origin.code_version),
    )
    found = [f"{name} {old} → {new}" for name, old, new in pairs if old != new]
    old, new = dict(_flat(before.origin.parameters)), dict(_flat(info.origin.parameters))
    found += [
        f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    if info.content_hash == before.content_hash:
        found.append("the same distributions")
    return tuple(found)


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def replayed_estimates(used: Estimates) -> dict[str, str]:
    """The estimate version that a replay planned with, and whether it had to be computed again."""
    if not used.version:
        return {"estimates": "computed from the dataset: the run is of before estimates had versions"}
    if not used.recomputed:
        return {"estimates": used.version}
    same = "they are the same" if used.as_stored else "the present code makes other ones"
    return {"estimates": f"{used.version}, computed again because its distributions were dropped: {same}"}
