"""Everything the classifier is trained and tested on, read into plain records, and the rules the project's own part must keep.

Two places hold it: `corpus/` in the project (written notices, hard negatives, texts and small pages, and labels by reference) and a data
folder of third-party pages and texts, which is never part of the project (see corpus/sources.toml).
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from declutter.errors import CorpusError
from declutter.kinds import LETTERS, NOTICES, SCORED, Kind
from declutter.training.render import line_hash, page_lines

PAGE_SETS = ("fundus", "andy", "dragnet", "wcxb")
PARTS = ("notices", "negatives", "texts", "pages")  # folders of written records
PLACES = ("start", "middle", "end")
FOLDS = 5
LONGEST_NOTICE = 12  # lines


@dataclass(frozen=True, slots=True)
class Text:
    """A labelled text: what an extractor left of a page, or a text written for the corpus.

    Attributes:
        id: unique within the corpus; for a page's rendering the page's id.
        lang: ISO 639-1, or 639-2 where there is no shorter code.
        site: what is never split between training and test: a domain, or the template of a written record.
        source: the set it comes from.
        rendering: how it was made of a page, "written" for the project's own.
        lines, kinds: one kind a line.
        place: where a written notice stands in an article; "" for whole texts.
        drawn: whether it was drawn and rendered as users' texts come, so that thresholds may be read off it; pages that were
            labelled for what they teach were not.
    """

    id: str
    lang: str
    site: str
    source: str
    rendering: str
    lines: tuple[str, ...]
    kinds: tuple[Kind, ...]
    place: str = ""
    drawn: bool = False

    @property
    def fold(self) -> int:
        """Which of `FOLDS` parts it belongs to, by site."""
        return fold(self.site)


@dataclass(frozen=True, slots=True)
class GoldPage:
    """A page with the text of its article, paragraphs parted by line breaks."""

    id: str
    lang: str
    site: str
    source: str
    page_type: str
    markup: str
    gold: str

    @property
    def fold(self) -> int:
        """Which of `FOLDS` parts it belongs to, by site."""
        return fold(self.site)


@dataclass(frozen=True, slots=True)
class Written:
    """The project's own part of the corpus."""

    notices: list[Text]
    negatives: list[Text]
    texts: list[Text]
    pages: list[Text]


def _share(name: str, parts: int) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:12], 16) % parts


def fold(site: str) -> int:
    """Which of `FOLDS` parts a site belongs to."""
    return _share("fold " + site, FOLDS)


def held_out(record: Text) -> bool:
    """Whether a written record belongs to the tenth that is never trained on; templates, and so publishers, stay together."""
    return _share("held out " + record.site, 10) == 0


def fingerprint(corpus: Path) -> str:
    """SHA-256 over names and contents of the corpus' files, in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(corpus.rglob("*.jsonl")):
        digest.update(f"{path.relative_to(corpus).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            where = f"{path}:{number}"
            try:
                record = json.loads(line)
            except ValueError:
                raise CorpusError(f"{where}: not JSON") from None
            if not isinstance(record, dict):
                raise CorpusError(f"{where}: not an object")
            yield where, record


def _scored(kind: Kind) -> Kind:
    """What a line is to a classifier that sees no title: a headline is content."""
    return Kind.CONTENT if kind is Kind.HEADLINE else kind


def _written(folder: Path) -> list[Text]:
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for where, record in _records(path):
            try:
                lines = tuple(line["text"] for line in record["lines"])
                kinds = tuple(_scored(Kind(line["kind"])) for line in record["lines"])
                found.append(
                    Text(
                        record["id"],
                        record["lang"],
                        f"{record['template']}",
                        "written",
                        "written",
                        lines,
                        kinds,
                        record.get("place", ""),
                    )
                )
            except (KeyError, TypeError, ValueError) as error:
                raise CorpusError(f"{where}: {type(error).__name__}: {error}") from None
    return found


def read_written(corpus: Path) -> Written:
    """The written records; raises `CorpusError` at the first that cannot be read."""
    return Written(*(_written(corpus / part) for part in PARTS))


def read_labelled(data: Path, split: str) -> list[Text]:
    """The hand-labelled texts of the data folder, of one split ("train" or "dev")."""
    texts = []
    for _, r in _records(data / "labelled_texts.jsonl.xz"):
        if r["split"] == split:
            texts.append(
                Text(
                    r["id"],
                    r["lang"] or "en",
                    r["site"] or r["id"],
                    r["source"],
                    r["rendering"],
                    tuple(line["text"] for line in r["lines"]),
                    tuple(_scored(Kind(line["kind"])) for line in r["lines"]),
                    drawn=True,
                )
            )
    return texts


def read_pages(data: Path, split: str, sets: tuple[str, ...] = PAGE_SETS) -> Iterator[GoldPage]:
    """The pages with gold text of one split, set after set."""
    for name in sets:
        for _, r in _records(data / f"{name}.jsonl.xz"):
            if r["split"] == split:
                yield GoldPage(
                    r["id"],
                    r.get("lang") or "en",
                    r["site"] or r["id"],
                    name,
                    r.get("page_type") or "article",
                    r["html"],
                    r["gold"],
                )


def read_references(corpus: Path, pages: dict[str, GoldPage]) -> list[Text]:
    """The project's labels by reference, as texts rendered again from the pages they point at; lines that changed are left out."""
    texts = []
    for path in sorted((corpus / "labels").glob("*.jsonl")):
        for where, record in _records(path):
            page = pages.get(record["id"])
            if page is None:
                continue
            kinds, hashes = record["kinds"], record["hashes"]
            lines = page_lines(page.markup)[record["start"] : record["start"] + len(kinds)]
            if len(hashes) != 8 * len(kinds):
                raise CorpusError(f"{where}: {len(kinds)} kinds but {len(hashes) / 8:g} hashes")
            same = [
                (line, _scored(LETTERS[kind]))
                for i, (line, kind) in enumerate(zip(lines, kinds, strict=False))
                if line_hash(line) == hashes[8 * i : 8 * i + 8]
            ]
            if same:
                texts.append(
                    Text(
                        record["id"],
                        page.lang,
                        page.site,
                        page.source,
                        record["rendering"],
                        tuple(line for line, _ in same),
                        tuple(kind for _, kind in same),
                    )
                )
    return texts


def read_strings(data: Path) -> list[Text]:
    """The notice strings of publishing software, one line each, with the kind their key hints at."""
    found = []
    for number, (_, r) in enumerate(_records(data / "notices.jsonl.xz")):
        text = " ".join(r["text"].split())
        if text and r["kind"] in Kind._value2member_map_:
            found.append(
                Text(f"string-{number}", r["lang"], f"string {text}", "strings", "string", (text,), (Kind(r["kind"]),))
            )
    return found


def check(corpus: Path) -> tuple[Counter[str], list[str]]:
    """Counts the records of the corpus and lists everything that breaks its rules, one line a fault."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    ids: dict[str, str] = {}
    publishers: dict[str, str] = {}
    seen: dict[str, str] = {}
    for part in PARTS:
        for path in sorted((corpus / part).glob("*.jsonl")):
            try:
                for where, record in _records(path):
                    faults += [f"{where}: {fault}" for fault in _faults(part, path.stem, record, ids, publishers, seen)]
                    counts[part] += 1
                    counts[f"{part}: {path.stem}"] += 1
            except CorpusError as error:
                faults.append(str(error))
    for path in sorted((corpus / "labels").glob("*.jsonl")):
        try:
            for where, record in _records(path):
                faults += [f"{where}: {fault}" for fault in _reference_faults(record, ids)]
                counts["labels"] += 1
                counts["labelled lines"] += len(record.get("kinds", ""))
        except CorpusError as error:
            faults.append(str(error))
    return counts, faults


_FIELDS = {
    "notices": {"id", "lang", "template", "publisher", "place", "lines"},
    "negatives": {"id", "lang", "template", "lines"},
    "texts": {"id", "lang", "template", "publisher", "lines"},
    "pages": {"id", "lang", "template", "publisher", "lines"},
}


def _faults(
    part: str, lang: str, record: dict[str, Any], ids: dict[str, str], publishers: dict[str, str], seen: dict[str, str]
) -> Iterator[str]:
    if set(record) != _FIELDS[part]:
        yield f"fields {sorted(record)}, not {sorted(_FIELDS[part])}"
        return
    if not isinstance(record["lines"], list) or not all(isinstance(record[f], str) for f in _FIELDS[part] - {"lines"}):
        yield "a field is of the wrong type"
        return
    name = record["id"]
    if name in ids:
        yield f"id {name} is used twice"
    ids[name] = part
    if record["lang"] != lang:
        yield f"language {record['lang']!r} in the file of {lang!r}"
    if part == "notices" and record["place"] not in PLACES:
        yield f"place {record['place']!r} is none of {', '.join(PLACES)}"
    publisher = record.get("publisher")
    if publisher is not None and publishers.setdefault(publisher.casefold(), record["template"]) != record["template"]:
        yield f"publisher {publisher!r} stands in two templates; held-out publishers would be trained on"
    lines = record["lines"]
    if not lines or (part == "notices" and len(lines) > LONGEST_NOTICE):
        yield f"{len(lines)} lines, not 1 to {LONGEST_NOTICE}"
    for number, line in enumerate(lines, 1):
        if (
            not isinstance(line, dict)
            or set(line) != {"kind", "text"}
            or not all(isinstance(v, str) for v in line.values())
        ):
            yield f"line {number}: not a kind and a text"
            continue
        if line["kind"] not in {kind.value for kind in SCORED}:
            yield f"line {number}: {line['kind']!r} is no kind of a line"
            continue
        text, kind = line["text"], Kind(line["kind"])
        if text != " ".join(text.split()) or not text:
            yield f"line {number}: white space"
        if part == "notices" and kind not in NOTICES:
            yield f"line {number}: {kind} in a notice"
        if part == "negatives" and kind in NOTICES:
            yield f"line {number}: {kind} in a hard negative"
        if len(text) > 60 and seen.setdefault(text, name) != name:
            yield f"line {number}: the same text stands in {seen[text]}"


def _reference_faults(record: dict[str, Any], ids: dict[str, str]) -> Iterator[str]:
    if set(record) != {"id", "rendering", "start", "kinds", "hashes"}:
        yield f"fields {sorted(record)}"
        return
    if not isinstance(record["start"], int) or not all(isinstance(v, str) for k, v in record.items() if k != "start"):
        yield "a field is of the wrong type"
        return
    if f"label {record['id']}" in ids:
        yield f"{record['id']} is labelled twice"
    ids[f"label {record['id']}"] = "labels"
    if strange := set(record["kinds"]) - set(LETTERS):
        yield f"unknown letters {sorted(strange)}"
    if len(record["hashes"]) != 8 * len(record["kinds"]) or set(record["hashes"]) - set("0123456789abcdef"):
        yield "not one hash a kind"
