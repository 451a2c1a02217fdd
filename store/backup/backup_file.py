"""A backup: one compressed file that holds every database of a home, and says what it holds and by which hashes."""

import gzip
import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, cast

from store.private import private_file
from tools.domain.errors import BadInput, JitError, NotFound

OPERATIONS, WAREHOUSE, ERP, SECRETS = "operations.sqlite", "warehouse.duckdb", "sandbox_erp.sqlite", "secrets.json"
OPERATIONS_TABLES = "operations"
"""Folder of the tables of an operations database in PostgreSQL."""
FORMAT = 1
MANIFEST = "manifest.json"
LARGEST_MANIFEST_BYTES = 1 << 20
COMPRESSION = 3
BLOCK_BYTES = 1 << 20


class BackupUnusable(JitError):
    """A file is no backup, or is damaged, or is of another home; nothing was touched."""

    code = "JIT-409"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One file within a backup."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    home_id: str
    made_at: str
    program: str
    operations: str
    """sqlite or postgresql."""
    migrations: Mapping[str, list[str]]
    """Names of the migrations of each database."""
    counters: Mapping[str, int]
    """How far each database was."""
    holds: Mapping[str, int]
    """Runs, orders and waiting approvals."""
    parts: Mapping[str, StoredPart] = field(default_factory=dict[str, StoredPart])


def write_backup(target: Path, folder: Path, manifest: Manifest, tell: Callable[[str], None]) -> Manifest:
    """Pack the folder's files into the target: written beside it, and there whole or not at all."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    parts = {path.relative_to(folder).as_posix(): StoredPart(path.stat().st_size, _sha256(path)) for path in files}
    told = replace(manifest, parts=parts)
    beside = target.with_name(f"{target.name}.part")
    beside.unlink(missing_ok=True)
    private_file(beside)
    with tarfile.open(beside, "w:gz", compresslevel=COMPRESSION) as tar:
        document = json.dumps({"format": FORMAT, **asdict(told)}, indent=1).encode()
        tar.addfile(_entry(MANIFEST, len(document)), io.BytesIO(document))
        for name, part in parts.items():
            tell(f"Packing {name}")
            with (folder / name).open("rb") as content:
                tar.addfile(_entry(name, part.size), content)
    sync_file(beside)
    beside.rename(target)
    sync_folder(target.parent)
    return told


def unpack_backup(source: Path, folder: Path, fits: Callable[[Manifest], None]) -> Manifest:
    """Unpack a backup into an empty folder, every part compared with its hash.

    `fits` refuses by the manifest before anything is written. NotFound without the file, BackupUnusable for one that
    is damaged or no backup.
    """
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", remedy="Name a file that `jit backup` made.")
    try:
        with tarfile.open(source, "r:gz") as tar:
            manifest = _manifest_of(tar, source)
            fits(manifest)
            found: set[str] = set()
            for member in iter(tar.next, None):
                found.add(_unpacked(tar, member, manifest, folder, source))
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(source, str(error) or type(error).__name__) from error
    lacking = sorted(set(manifest.parts) - found)
    if lacking:
        raise damaged(source, f"it ends before {lacking[0]}")
    return manifest


def must_be_free(target: Path) -> None:
    """BadInput unless a new file can be made there."""
    if target.exists():
        raise BadInput(f"{target} is there already.", remedy="Name another file; a backup replaces none.")
    if not target.parent.is_dir():
        raise BadInput(f"There is no folder {target.parent}.", remedy="Make it, or name a file in another folder.")


def damaged(source: Path, why: str) -> BackupUnusable:
    """The refusal of a file that is not whole."""
    return BackupUnusable(
        f"{source} is damaged or no backup: {why}.", remedy="Take another backup; nothing here was touched."
    )


def sync_file(path: Path) -> None:
    """Have a file's content on disk."""
    with path.open("rb") as written:
        os.fsync(written.fileno())


def sync_folder(folder: Path) -> None:
    """Have renames within a folder on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _manifest_of(tar: tarfile.TarFile, source: Path) -> Manifest:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if content is None:
        raise damaged(source, "it does not begin with a manifest")
    try:
        stored = cast(dict[str, Any], json.loads(content.read(LARGEST_MANIFEST_BYTES)))
        if stored.pop("format") != FORMAT:
            raise BackupUnusable(f"{source} was made by a newer version.", remedy="Install that version first.")
        parts = {_plain(name): StoredPart(**part) for name, part in stored.pop("parts").items()}
        return Manifest(**stored, parts=parts)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged(source, "its manifest cannot be read") from error


def _plain(name: str) -> str:
    """A name within the folder. ValueError for any other."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(name)
    return name


def _unpacked(tar: tarfile.TarFile, member: tarfile.TarInfo, manifest: Manifest, folder: Path, source: Path) -> str:
    known, content = manifest.parts.get(member.name), tar.extractfile(member)
    if known is None or content is None:
        raise damaged(source, f"it holds {member.name}, which its manifest does not know")
    target = folder / member.name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    private_file(target)
    digest = hashlib.sha256()
    with target.open("wb") as stored:
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
            stored.write(block)
        stored.flush()
        os.fsync(stored.fileno())
    if digest.hexdigest() != known.sha256:
        raise damaged(source, f"{member.name} does not match its hash")
    return member.name
