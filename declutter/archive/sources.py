"""From what a user names (files, folders, globs) to the shards of a run; refuses what could harm or lose something."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from declutter.archive.containers import CONTAINERS, container_of, written_name
from declutter.archive.files import COMPRESSIONS, bare_name, is_local, needs, place
from declutter.archive.parts import PARTS
from declutter.archive.shard import LABELS, STATE, File, Shard
from declutter.errors import UsageError

REPORT, ERRORS, SURVEY, MEMORY = "run.json", "errors.jsonl", "survey.json", "memory.parquet"
OWN = frozenset((LABELS, STATE, PARTS, REPORT, ERRORS, SURVEY, MEMORY))  # what a run writes besides cleaned files
_SHARD_FILES = 256  # files of one document each
_SHARD_BYTES = 16 << 20


def find_files(sources: Iterable[Path | str]) -> list[File]:
    """The files that sources name, in the order of their names; in folders, those that look like no archive are passed over.

    Raises:
        UsageError: a source is not there or holds nothing to clean, or two files would be written under one name.
        MissingExtraError: a package is needed to read one.
    """
    found = [file for source in sources for file in _files(source)]
    named: dict[str, File] = {}
    for file in found:
        if (other := named.setdefault(file.name, file)) is not file and other.source.resolve() != file.source.resolve():
            raise UsageError(f"{other.source} and {file.source} would both be written as {file.name}")
    for container in {file.container for file in found}:
        if package := CONTAINERS[container].package:
            needs(package, f"reading {container} files")
    for suffix in {bare_name(file.source.name)[1].lower() for file in found}:
        for row in COMPRESSIONS:
            if row.suffix == suffix and row.package:
                needs(row.package, f"reading {suffix} files")
    return [named[name] for name in sorted(named)]


def _files(source: Path | str) -> Iterator[File]:
    path = place(source)
    if path.is_dir():
        own = OWN if settings_of(path) else frozenset()  # in a folder that declutter wrote
        base, paths = (
            path,
            _shown(path, [found for found in path.rglob("*") if found.relative_to(path).parts[0] not in own]),
        )
    elif path.exists():
        base, paths = path.parent, [path]
        if container_of(path.name) is None:
            raise UsageError(f"{path} is of no kind that declutter knows: {_known()}")
    elif glob.has_magic(str(source)):
        base = next(folder for folder in path.parents if not glob.has_magic(str(folder)))
        paths = _shown(base, base.glob(str(path.relative_to(base))))
    else:
        raise UsageError(f"there is no {source}")
    files = [
        File(path, _name(path.relative_to(base)), container) for path in paths if (container := container_of(path.name))
    ]
    if not files:
        raise UsageError(f"{source} holds nothing to clean; declutter knows {_known()}")
    yield from files


def _shown(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """The files among some paths in a folder that are not hidden."""
    return [
        path
        for path in paths
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def settings_of(folder: Path) -> dict[str, Any]:
    """What the run did, that wrote a folder; nothing where none did."""
    try:
        found = json.loads((folder / REPORT).read_bytes())["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _name(path: Path) -> str:
    pure = PurePosixPath(path.as_posix())
    return str(pure.with_name(written_name(pure.name)))


def _known() -> str:
    suffixes = [suffix for row in CONTAINERS.values() for suffix in row.suffixes]
    return f"{', '.join(suffixes)}, also as {' and '.join(row.suffix for row in COMPRESSIONS)}"


def check_apart(files: Sequence[File], sources: Iterable[Path | str], out: Path) -> None:
    """Refuses to write to where something is read, or over what belongs to the run.

    Raises:
        UsageError: it would come to that.
    """
    folder = out.resolve()
    for source in sources:
        if place(source).is_dir() and _lies_in(folder, place(source).resolve()):
            raise UsageError(f"{out} lies inside {source}: the next run would read what this one writes")
    for file in files:
        if _lies_in(file.source.resolve(), folder):
            raise UsageError(f"{file.source} lies inside {out}: it would be overwritten")
        if PurePosixPath(file.name).parts[0] in OWN:
            raise UsageError(
                f"{file.source} would be written as {file.name}, a name that declutter needs in {out} itself"
            )


def _lies_in(path: Path, folder: Path) -> bool:
    return is_local(path) == is_local(folder) and path.is_relative_to(folder)


def make_shards(files: Iterable[File]) -> list[Shard]:
    """Files of many records are a shard each; files of one document share shards, so that a million need not a million states."""
    shards: list[Shard] = []
    group: list[File] = []
    size = 0
    for file in files:
        own = _size(file.source)
        if CONTAINERS[file.container].many:
            shards.append(Shard(file.name, (file,), own))
            continue
        if group and (len(group) == _SHARD_FILES or size + own > _SHARD_BYTES):
            shards.append(Shard(group[0].name, tuple(group), size))
            group, size = [], 0
        group.append(file)
        size += own
    if group:
        shards.append(Shard(group[0].name, tuple(group), size))
    return shards


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # whoever reads it says so
        return 0
