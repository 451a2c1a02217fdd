"""Versions of the estimates: figures and distributions of every item and offer, which one is active, backtests."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

from store.duck import DuckFile
from store.schema import BACKTEST_COLUMNS
from tools.domain.datasets import Period
from tools.domain.errors import NotFound

PACKING = (1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
"""zlib's fastest level, looking for runs only: the bytes of sample paths repeat no longer words."""


class EstimateKind(StrEnum):
    """What a stored distribution is of."""

    DEMAND = "demand"
    LEAD_TIME = "lead_time"


@dataclass(frozen=True, slots=True)
class EstimateMember:
    """Which row a version has under a key; versions share rows that are equal."""

    kind: EstimateKind
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class EstimateRow:
    """One item's demand or one offer's lead time."""

    kind: EstimateKind
    item_id: str
    site_id: str
    key: str
    """`item@site`, or the offer id; unique within its kind."""
    figures: Mapping[str, Any]
    """What people look at; kept when the distribution is dropped."""
    figures_json: str
    """The same as it is stored."""
    packed: bytes
    """The distribution itself, as arrays in bytes, compressed."""
    digest: str
    """SHA-256 over key, figures and distribution."""

    @classmethod
    def of(
        cls, kind: EstimateKind, item_id: str, site_id: str, key: str, figures: Mapping[str, Any], content: bytes
    ) -> "EstimateRow":
        """A row of a distribution whose bytes are `content`."""
        text = _json(figures)
        digest = sha256(f"{kind.value}|{key}|{text}|".encode() + content).hexdigest()
        return cls(kind, item_id, site_id, key, figures, text, _packed(content), digest)

    @property
    def member(self) -> EstimateMember:
        """What a version knows it by."""
        return EstimateMember(self.kind, self.key, self.digest)

    @property
    def content(self) -> bytes:
        """The distribution as arrays in bytes."""
        return zlib.decompress(self.packed)


@dataclass(frozen=True, slots=True)
class EstimateOrigin:
    """What a version was made from: equal origins give equal distributions."""

    dataset_version: str
    model_version: str
    parameters: Mapping[str, Any]
    seed: int
    code_version: str

    @property
    def period(self) -> Period:
        """The bucket that was planned in."""
        return Period(self.parameters["period"])

    @property
    def made_by(self) -> tuple[str, str, str]:
        """Everything but the data: models, parameters and code."""
        return (self.model_version, _json(self.parameters), self.code_version)


@dataclass(frozen=True, slots=True)
class EstimateInfo:
    """One version in short."""

    version: str
    number: int
    origin: EstimateOrigin
    created_at: datetime
    content_hash: str
    parent: str | None
    active: bool
    held: bool
    """Whether a person chose it, so that its parameters go on against the settings; for the active version."""
    kept: bool
    """Whether its distributions are still stored; figures always are."""
    chosen_by: str
    reason: str


class EstimateShelf(DuckFile):
    """Estimate versions; every choice of an active one is a row of its own, the latest counts.

    A version names its rows by digest: figures and distribution of a row are stored once, whichever versions have it.
    """

    def store_estimates(
        self,
        origin: EstimateOrigin,
        rows: Sequence[EstimateRow],
        members: Sequence[EstimateMember] = (),
        demand_input: str = "",
    ) -> str:
        """Store a version in one transaction, not yet active; returns its id `est-NUMBER-HASH`.

        `members` are rows that an earlier version brought; `demand_input` is the hash of what the demand rows were
        made from. What some version has already is not stored again.
        """
        whole = [*members, *(row.member for row in rows)]
        content_hash = hash_of(whole)
        with self._transaction():
            number = int(self._all("SELECT coalesce(max(number), 0) + 1 FROM estimates")[0][0])
            version = f"est-{number}-{content_hash[:8]}"
            parent = self._active_row()
            self._connection.execute(
                "INSERT INTO estimates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, true)",
                [
                    version,
                    number,
                    origin.dataset_version,
                    origin.model_version,
                    _json(origin.parameters),
                    origin.seed,
                    origin.code_version,
                    datetime.now(UTC),
                    content_hash,
                    parent[0] if parent else None,
                    demand_input,
                ],
            )
            self._store_rows(version, whole, rows)
        return version

    def restore_contents(self, version: str, rows: Sequence[EstimateRow]) -> None:
        """Store the distributions of a version again whose were dropped: all of its rows, made anew."""
        with self._transaction():
            self._connection.execute("DELETE FROM estimate_members WHERE version = ?", [version])
            self._store_rows(version, [row.member for row in rows], rows)
            self._connection.execute("UPDATE estimates SET kept = true WHERE version = ?", [version])

    def _store_rows(self, version: str, members: Sequence[EstimateMember], rows: Sequence[EstimateRow]) -> None:
        self._append_some("estimate_members", [(version, m.kind.value, m.key, m.digest) for m in members])
        known = self._known("estimate_figures", rows)
        figures = [(r.digest, r.item_id, r.site_id, r.figures_json) for r in rows if r.digest not in known]
        self._append_some("estimate_figures", figures)
        self._store_distributions(rows)

    def _store_distributions(self, rows: Sequence[EstimateRow]) -> None:
        known = self._known("estimate_distributions", rows)
        self._append_some("estimate_distributions", [(r.digest, r.packed) for r in rows if r.digest not in known])

    def _known(self, table: str, rows: Sequence[EstimateRow]) -> set[str]:
        """Digests of the rows that a table holds."""
        sql = f"SELECT digest FROM {table} WHERE digest IN (SELECT unnest(?))"  # noqa: S608 - our own names
        return {str(digest) for (digest,) in self._all(sql, [[row.digest for row in rows]])} if rows else set()

    def series_from(self, records: str) -> str | None:
        """Hash of the prepared series that these records gave before."""
        found = self._all("SELECT series FROM demand_series WHERE records = ?", [records])
        return str(found[0][0]) if found else None

    def put_series(self, records: str, series: str) -> None:
        """Remember which prepared series some records give."""
        self._run("INSERT OR REPLACE INTO demand_series VALUES (?, ?)", [records, series])

    def members_from(self, demand_input: str) -> list[EstimateMember]:
        """Demand rows that were made from this very input and whose distributions are kept; none otherwise."""
        found = self._all(
            "SELECT key, digest FROM estimate_members WHERE kind = ? AND version = (SELECT version FROM estimates "
            "WHERE demand_input = ? AND kept ORDER BY number DESC LIMIT 1)",
            [EstimateKind.DEMAND.value, demand_input],
        )
        return [EstimateMember(EstimateKind.DEMAND, key, digest) for key, digest in found]

    def _append_some(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            self._append(table, rows)

    def activate_estimates(self, version: str, actor: str, reason: str, *, held: bool) -> None:
        """Make a version the active one. NotFound when there is none."""
        self.estimate(version)
        with self._transaction():
            number = int(self._all("SELECT coalesce(max(number), 0) + 1 FROM estimate_choices")[0][0])
            choice = [number, version, actor, reason, held, datetime.now(UTC)]
            self._connection.execute("INSERT INTO estimate_choices VALUES (?, ?, ?, ?, ?, ?)", choice)

    def _active_row(self) -> tuple[str, str, str, bool] | None:
        found = self._all("SELECT version, actor, reason, held FROM estimate_choices ORDER BY number DESC LIMIT 1")
        return (str(found[0][0]), str(found[0][1]), str(found[0][2]), bool(found[0][3])) if found else None

    def estimates(self, limit: int | None = None) -> list[EstimateInfo]:
        """Versions, newest first."""
        with self._lock:
            rows = self._all(f"{VERSIONS} ORDER BY number DESC LIMIT ?", [limit if limit is not None else 2**31])
            return self._infos(rows)

    def estimate(self, version: str) -> EstimateInfo:
        """One version. NotFound when there is none."""
        with self._lock:
            found = self._infos(self._all(f"{VERSIONS} WHERE version = ?", [version]))
        if not found:
            raise NotFound(f"There is no estimate version {version}.", remedy="`jit estimates` lists the versions.")
        return found[0]

    def active_estimates(self) -> EstimateInfo | None:
        """The active version, None before the first."""
        chosen = self._active_row()
        return self.estimate(chosen[0]) if chosen else None

    def estimates_from(self, origin: EstimateOrigin) -> EstimateInfo | None:
        """The latest version of this very origin."""
        where = "WHERE dataset_version = ? AND model_version = ? AND parameters = ? AND code_version = ?"
        with self._lock:
            found = self._infos(
                self._all(
                    f"{VERSIONS} {where} ORDER BY number DESC LIMIT 1",
                    [origin.dataset_version, origin.model_version, _json(origin.parameters), origin.code_version],
                )
            )
        return found[0] if found else None

    def _infos(self, rows: Sequence[tuple[Any, ...]]) -> list[EstimateInfo]:
        active, actor, reason, held = self._active_row() or ("", "", "", False)
        return [
            EstimateInfo(
                version=row[0],
                number=row[1],
                origin=EstimateOrigin(row[2], row[3], orjson.loads(row[4]), row[5], row[6]),
                created_at=row[7],
                content_hash=row[8],
                parent=row[9],
                active=row[0] == active,
                held=row[0] == active and held,
                kept=bool(row[10]),
                chosen_by=actor if row[0] == active else "",
                reason=reason if row[0] == active else "",
            )
            for row in rows
        ]

    def estimate_figures(
        self, version: str, kind: EstimateKind, keys: Collection[str] | None = None
    ) -> dict[str, dict[str, Any]]:
        """Figures of a version by key, in key order; those of `keys` or all."""
        rows = self._rows_of("estimate_figures", "item_id, site_id, figures", version, kind, keys)
        return {key: {"item_id": item, "site_id": site, **orjson.loads(raw)} for key, item, site, raw in rows}

    def estimate_contents(
        self, version: str, kind: EstimateKind, keys: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """Distributions of a version by key, those of `keys` or all; those that no version keeps are left out."""
        rows = self._rows_of("estimate_distributions", "content", version, kind, keys)
        return {key: zlib.decompress(content) for key, content in rows}

    def _rows_of(
        self, table: str, columns: str, version: str, kind: EstimateKind, keys: Collection[str] | None
    ) -> list[tuple[Any, ...]]:
        sql = f"SELECT key, {columns} FROM estimate_members JOIN {table} USING (digest)"  # noqa: S608 - our own names
        sql, named = f"{sql} WHERE version = ? AND kind = ?", [version, kind.value]
        if keys is not None:
            return self._all(f"{sql} AND key IN (SELECT unnest(?)) ORDER BY key", [*named, list(keys)])
        return self._all(f"{sql} ORDER BY key", named)

    def drop_contents(self, latest: int, protected: Collection[str]) -> list[str]:
        """Drop the distributions of all but the latest versions, the active one and the protected ones.

        Those that a kept version shares stay.
        """
        infos = self.estimates()
        wanted = {info.version for info in infos[:latest]} | set(protected)
        dropped = [info.version for info in infos if info.kept and not info.active and info.version not in wanted]
        if dropped:
            with self._transaction():
                self._connection.execute("UPDATE estimates SET kept = false WHERE list_contains(?, version)", [dropped])
                self._connection.execute(
                    "DELETE FROM estimate_distributions WHERE digest NOT IN "
                    "(SELECT digest FROM estimate_members JOIN estimates USING (version) WHERE kept)"
                )
        return dropped

    def put_backtests(self, version: str, dataset_version: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store the backtest rows of a version; those stored before are replaced."""
        now = datetime.now(UTC)
        stored = [(version, dataset_version, *(row.get(name) for name in BACKTEST_COLUMNS), now) for row in rows]
        with self._transaction():
            self._connection.execute("DELETE FROM backtests WHERE version = ?", [version])
            self._append_some("backtests", stored)

    def backtests(self, version: str, item_id: str | None = None) -> list[dict[str, Any]]:
        """Backtest rows of a version, by item, site and origin; figures that are not defined are None."""
        sql = f"SELECT {', '.join(BACKTEST_COLUMNS)} FROM backtests WHERE version = ?"  # noqa: S608 - our own names
        named = [version] if item_id is None else [version, item_id]
        more = "" if item_id is None else " AND item_id = ?"
        rows = self._all(f"{sql}{more} ORDER BY item_id, site_id, origin", named)
        return [dict(zip(BACKTEST_COLUMNS, row, strict=True)) for row in rows]


VERSIONS = (
    "SELECT version, number, dataset_version, model_version, parameters, seed, code_version, created_at, "
    "content_hash, parent, kept FROM estimates"
)


def hash_of(rows: Iterable[EstimateRow | EstimateMember]) -> str:
    """SHA-256 over figures and distributions, whatever the order of the rows."""
    return sha256("".join(sorted(row.digest for row in rows)).encode()).hexdigest()


def _packed(content: bytes) -> bytes:
    packer = zlib.compressobj(*PACKING)
    return packer.compress(content) + packer.flush()


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_SORT_KEYS).decode()
