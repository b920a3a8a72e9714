"""Files too large for one worker, in parts: each is worked on like a shard of its own, in a folder of its own, and then they are joined.

`in_parts` is what every engine calls, by way of `clean` or `sites.count`. It keeps nothing between its calls but files, so it does
not matter who calls it or where: of a large file it asks for its parts until all are done, and then puts them together.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple

from declutter.archive.containers import CONTAINERS
from declutter.archive.containers.record import Part
from declutter.archive.files import open_to_read, remove_tree, replacing
from declutter.archive.shard import (
    Outcome,
    Settings,
    Shard,
    clean_shard,
    done_before,
    errors_of,
    fresh_outcome,
    key_of,
    outputs_of,
    survey_of,
    write_line,
    write_state,
)
from declutter.archive.survey import Survey, merge_surveys
from declutter.errors import SourceError

PARTS = "parts"  # folder beside the cleaned files
_TRIES = 3  # at the parts of a file that changes while it is cleaned


class Work(NamedTuple):
    """What is done with shards and with parts of them, in the folder that the settings name.

    Attributes:
        do: does it, unless it is done already.
        done: what became of a shard with which it was done before, None where it is to be done.
        join: makes what `do` would have made of a file from what it made of the parts; takes the file's shard, the parts, what
            became of them, the file's key and the settings.
    """

    do: Callable[[Shard, Settings], Outcome]
    done: Callable[[Shard, Settings], Outcome | None]
    join: Callable[[Shard, Sequence[Shard], Sequence[Outcome], str, Settings], Outcome]


def clean(shard: Shard, settings: Settings) -> Outcome:
    """Cleans a shard, unless that is done already; see `in_parts`.

    Raises:
        StoppedError: something failed, and that is to end the run.
        OSError: what was cleaned cannot be written.
    """
    return in_parts(shard, settings, Work(clean_shard, done_before, _join))


def in_parts(shard: Shard, settings: Settings, work: Work) -> Outcome:
    """Works on a shard, unless that is done already; on a file larger than `settings.part_bytes`, in parts.

    Returns:
        What became of it; where that has `parts`, nothing yet: they are to be worked on first (see `parts_of`), and then the
        shard once more.
    """
    if shard.part is not None:
        return work.do(shard, within(shard, settings))
    parts = parts_of(shard, _split(shard, settings))
    if len(parts) < 2:
        return work.do(shard, settings)
    if before := work.done(shard, settings):
        return before
    if _all_done(parts, settings, work):
        key = key_of(shard, settings)  # reads the file: only now is it sure that it was the same for all parts
        if (found := _all_done(parts, settings, work)) is not None:
            outcome = work.join(shard, parts, found, key, settings)
            remove_tree(settings.out / PARTS / shard.name)
            return outcome
    return Outcome(shard.name, parts=[part.part for part in parts if part.part])


def whole_shards(
    results: Iterable[tuple[Shard, Outcome | None]],
    waiting: deque[Shard],
    advance: Callable[[Shard, Outcome | None], None],
) -> Iterator[tuple[Shard, Outcome | None]]:
    """What an engine yields of `in_parts`, less the parts of large files: these are put among the shards that wait, and then the file.

    Args:
        results: shards with their outcomes; None for one that was given up.
        waiting: the shards that the engine takes from.
        advance: told of every shard that is done; of a file in parts, the parts.
    """
    left: Counter[str] = Counter()  # parts under way, by name of their file
    tried: Counter[str] = Counter()
    files: dict[str, Shard] = {}
    failed: set[str] = set()
    for shard, outcome in results:
        name = shard.name
        if outcome is not None and outcome.parts and tried[name] < _TRIES:
            parts = parts_of(shard, outcome.parts)
            left[name], files[name] = len(parts), shard
            tried[name] += 1
            waiting.extendleft(reversed(parts))
        elif shard.part is not None:
            left[name] -= 1
            if outcome is None:
                failed.add(name)
            if not left[name] and name in failed:
                yield files[name], None
            elif not left[name]:
                waiting.appendleft(files[name])
            advance(shard, outcome)
        else:
            yield shard, None if outcome is None or outcome.parts else outcome
            if name not in files:
                advance(shard, outcome)


def parts_of(shard: Shard, parts: Sequence[Part]) -> list[Shard]:
    """The shards that the parts of a file are."""
    (file, *_) = shard.files
    return [Shard(shard.name, (file._replace(part=part),), shard.size // len(parts)) for part in parts]


def _split(shard: Shard, settings: Settings) -> list[Part]:
    (file, *others) = shard.files
    split = CONTAINERS[file.container].split
    if others or split is None or shard.size <= settings.part_bytes:
        return []
    try:
        return split(file.source, settings.part_bytes)
    except SourceError:  # whoever reads it says so
        return []


def within(part: Shard, settings: Settings) -> Settings:
    """Settings that put all of a part into a folder of its own."""
    start, stop = part.part or (0, 0)
    return replace(settings, out=settings.out / PARTS / part.name / f"{start}-{stop}")


def _all_done(parts: Sequence[Shard], settings: Settings, work: Work) -> list[Outcome] | None:
    found = [work.done(part, within(part, settings)) for part in parts]
    outcomes = [outcome for outcome in found if outcome is not None]
    return outcomes if len(outcomes) == len(parts) else None


def _join(shard: Shard, parts: Sequence[Shard], found: Sequence[Outcome], key: str, settings: Settings) -> Outcome:
    """Writes what `clean_shard` would have written of the whole file."""
    (file,) = shard.files
    outcome = fresh_outcome(shard, key)
    folders = [within(part, settings).out for part in parts]
    offsets = [0]
    for part in found:
        outcome.add(part)
        offsets.append(outcome.positions)
    with replacing(errors_of(shard.name, settings.out)) as errors:
        _append([errors_of(shard.name, folder) for folder in folders], offsets, errors)
    if all(part.written for part in found):  # otherwise the file could not be read, and its errors say why
        texts, labels = outputs_of(file, settings)
        join = CONTAINERS[file.container].join
        with ExitStack() as stack:
            if labels is not None:
                target = stack.enter_context(replacing(settings.out / labels))
                _append([folder / labels for folder in folders], offsets, target)
            if texts is not None and join is not None:
                target = stack.enter_context(replacing(settings.out / texts))
                join(file.source, [folder / texts for folder in folders], target)
        outcome.written = [name for name in (texts, labels) if name is not None]
    surveys = [Survey.from_json(survey_of(shard.name, folder).read_bytes()) for folder in folders]
    for survey, before in zip(surveys, offsets, strict=False):
        survey.move(before)
    write_state(outcome, merge_surveys(surveys), settings.out)
    return outcome


def _append(sources: Sequence[Path], offsets: Sequence[int], target: IO[bytes]) -> None:
    """Lines of JSON that name positions in a part, as ones that name positions in the file."""
    for source, before in zip(sources, offsets, strict=False):
        with open_to_read(source) as lines:
            if not before:
                shutil.copyfileobj(lines, target)
                continue
            for line in lines:
                entry = json.loads(line)
                if entry["position"] is not None:
                    entry["position"] += before
                write_line(target, entry)
