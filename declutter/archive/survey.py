"""What a run saw, small enough to be looked at: counts by site, the notices that come again and again, and samples of texts.

Every shard writes a survey of its own; the run merges them, in the order of the shards' names, into one. However many documents
there are, a survey stays small, because of each thing it keeps a number that is fixed here:

* of sites and of texts those that were seen most. Whenever there are several times too many, the rarest are forgotten, so that
  a count may be too low, never too high; the documents of forgotten sites are counted together;
* of samples the texts with the smallest checksums, which is a random choice among different texts that comes out the same
  whatever the order and the number of shards.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from itertools import compress, count
from operator import ne
from typing import Any

from declutter.document import Document
from declutter.kinds import SCORED, Kind
from declutter.memory import site_of
from declutter.policy import plain

NO_SITE = "(no address)"
SITES = 1000  # that are told apart
TEXTS = 100  # of each kind that are counted
# samples; beside them there is one of every kind that is stripped
DOUBTFUL, KEPT, EMPTIED = "doubtful", "kept in doubt", "emptied"
_SAMPLED = {DOUBTFUL: 24, KEPT: 24, EMPTIED: 24}
_SAMPLED_OF_A_KIND = 8
_SLACK = 4  # times too many sites or texts before the rarest are forgotten
_SHOWN = 300  # characters of a text
_AROUND = 120  # characters of its neighbours
_NAMED = 4  # sites of a frequent text
_CONTENT = SCORED.index(Kind.CONTENT)
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Location:
    """Where a document is: its file, its line, row or record in it, and its address if the archive says so."""

    file: str
    position: int
    url: str | None = None


@dataclass(slots=True)
class Counts:
    """What there was on a site.

    Attributes:
        documents: that were judged.
        errors: that could not be.
        emptied: of which nothing is left, though there was something.
        characters, paragraphs: there were.
        removed_characters: of the stripped paragraphs.
        uncertain: paragraphs that are, see `Document.uncertain`.
        edges: places where a kept and a stripped paragraph meet.
        removed: number of stripped paragraphs by kind.
        most_removed: characters of the stripped paragraphs of one document, at most.
        most: where that document is.
    """

    documents: int = 0
    errors: int = 0
    emptied: int = 0
    characters: int = 0
    paragraphs: int = 0
    removed_characters: int = 0
    uncertain: int = 0
    edges: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    most_removed: int = 0
    most: Location | None = None

    def add(self, other: Counts) -> None:
        """Counts what there was elsewhere as well."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        _add(self.removed, other.removed)
        if other.most_removed > self.most_removed:
            self.most_removed, self.most = other.most_removed, other.most


def _members(record: Any) -> dict[str, Any]:
    """What a record holds, for JSON; records within it have their turn."""
    return {name: getattr(record, name) for name in record.__slots__}


def _add(numbers: dict[str, int], others: dict[str, int]) -> None:
    for name, number in others.items():
        numbers[name] = numbers.get(name, 0) + number


_NUMBERS = [row.name for row in fields(Counts) if row.name not in ("removed", "most_removed", "most")]


@dataclass(slots=True)
class Frequent:
    """A text that was stripped again and again.

    Attributes:
        text: its beginning, as it was seen first.
        count: how often it was seen; numbers in it make no difference.
        sites: some sites that have it.
        location: where it was seen first.
    """

    text: str
    count: int
    sites: list[str]
    location: Location

    def add(self, other: Frequent) -> None:
        """Counts the same text from elsewhere."""
        self.count += other.count
        for site in other.sites:
            self.name(site)

    def name(self, site: str) -> None:
        """Takes note of a site that has it."""
        if len(self.sites) < _NAMED and site not in self.sites:
            self.sites.append(site)


@dataclass(slots=True)
class Example:
    """A paragraph, or the beginning of a document.

    Attributes:
        text: its beginning.
        kind: what it was called.
        content: probability that it is article, 0 to 1.
        before, after: the end of the paragraph before it and the beginning of the one after it.
        location: where it is.
    """

    text: str
    kind: str
    content: float
    before: str
    after: str
    location: Location


class Sample:
    """Some texts of all that were offered: those with the smallest checksums.

    Attributes:
        size: how many there are at most.
        items: the examples by checksum.
    """

    __slots__ = ("_limit", "items", "size")

    def __init__(self, size: int):
        self.size = size
        self.items: dict[int, Example] = {}
        self._limit = 1 << 32

    def wants(self, rank: int) -> bool:
        """Whether a text of this checksum would be among them."""
        return rank < self._limit and rank not in self.items

    def add(self, rank: int, example: Example) -> None:
        """Takes an example in the place of the one with the largest checksum, if it is wanted."""
        if not self.wants(rank):
            return
        self.items[rank] = example
        if len(self.items) > self.size:
            del self.items[max(self.items)]
        if len(self.items) == self.size:
            self._limit = max(self.items)


@dataclass
class Survey:
    """What a shard, or a run, saw.

    Attributes:
        sites: counts of those with the most documents.
        others: of all other sites together.
        removed_characters: of the stripped paragraphs by kind.
        frequent: texts that were stripped most often, by kind and by what they are compared by.
        samples: by what they are of, and by checksum: paragraphs that were stripped, of every kind; those that were stripped
            or kept and are uncertain; documents of which nothing is left.
    """

    sites: dict[str, Counts] = field(default_factory=dict)
    others: Counts = field(default_factory=Counts)
    removed_characters: dict[str, int] = field(default_factory=dict)
    frequent: dict[str, dict[str, Frequent]] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)

    def add(self, document: Document, labels: dict[str, Any], location: Location, site: str | None = None) -> None:
        """Takes note of a document that was judged.

        Args:
            document: what was judged.
            labels: its `declutter` object.
            location: where it is.
            site: its site, where something tells it besides the address.
        """
        site, removed = _site(site or location.url), labels["removed"]
        stripped = [i for i, keep in enumerate(document.kept) if not keep]
        emptied = bool(stripped) and len(stripped) == len(document)
        gone = 0
        for i, entry in zip(stripped, removed, strict=True):
            kind, text = entry["kind"], entry["text"]
            gone += len(text)
            self.removed_characters[kind] = self.removed_characters.get(kind, 0) + len(text)
            self._meet(kind, text, site, location)
            self._sample(kind, document, i, location)
        for i in compress(count(), document.uncertain):
            self._sample(KEPT if document.kept[i] else DOUBTFUL, document, i, location)
        if emptied:
            self._sample(EMPTIED, document, max(stripped, key=lambda i: len(document.source.texts[i])), location)
        found = Counts(
            documents=1,
            emptied=int(emptied),
            characters=sum(map(len, document.source.texts)),
            paragraphs=len(document),
            removed_characters=gone,
            uncertain=sum(document.uncertain),
            edges=sum(map(ne, document.kept, document.kept[1:])),
            removed=dict(Counter([entry["kind"] for entry in removed])),
            most_removed=gone,
            most=location if gone else None,
        )
        self._count(site, found)

    def fail(self, url: str | None) -> None:
        """Takes note of a document that could not be judged, by its address or the name of its site."""
        self._count(_site(url), Counts(errors=1))

    def update(self, other: Survey) -> None:
        """Takes note of all that another survey saw."""
        for site, counts in other.sites.items():
            self._count(site, counts)
        self.others.add(other.others)
        _add(self.removed_characters, other.removed_characters)
        for kind, texts in other.frequent.items():
            own = self.frequent.setdefault(kind, {})
            for key, text in texts.items():
                if key in own:
                    own[key].add(text)
                else:
                    own[key] = text
            self._forget_texts(kind)
        for name, sample in other.samples.items():
            for rank, example in sample.items.items():
                self.samples.setdefault(name, Sample(sample.size)).add(rank, example)

    def _count(self, site: str, counts: Counts) -> None:
        if site in self.sites:
            self.sites[site].add(counts)
        else:
            self.sites[site] = counts
            if len(self.sites) > _SLACK * SITES:
                self._forget_sites()

    def _forget_sites(self) -> None:
        for site in self.largest_sites()[SITES:]:
            self.others.add(self.sites.pop(site))

    def move(self, by: int) -> None:
        """Counts the positions of a part of a file from the beginning of the file.

        Args:
            by: how many there are before the part.
        """
        for counts in (*self.sites.values(), self.others):
            if counts.most is not None:
                counts.most.position += by
        for texts in self.frequent.values():
            for text in texts.values():
                text.location.position += by
        for sample in self.samples.values():
            for example in sample.items.values():
                example.location.position += by

    def largest_sites(self) -> list[str]:
        """The sites, those with the most documents first."""
        return sorted(self.sites, key=lambda site: (-self.sites[site].documents, -self.sites[site].errors, site))

    def largest(self, number: int) -> tuple[dict[str, Counts], Counts]:
        """The counts of so many sites, those with the most documents first, and of all others together."""
        sites, others = self.largest_sites(), Counts()
        for counts in (self.others, *(self.sites[site] for site in sites[number:])):
            others.add(counts)
        return {site: self.sites[site] for site in sites[:number]}, others

    def _meet(self, kind: str, text: str, site: str, location: Location) -> None:
        texts = self.frequent.setdefault(kind, {})
        key = _DIGITS.sub("0", plain(text[:_SHOWN]))
        same = texts.get(key)
        if same is None:
            texts[key] = Frequent(_beginning(text, _SHOWN), 1, [site], location)
            self._forget_texts(kind)
        else:
            same.count += 1
            same.name(site)

    def _forget_texts(self, kind: str, slack: int = _SLACK) -> None:
        texts = self.frequent[kind]
        if len(texts) > slack * TEXTS:
            often = sorted(texts, key=lambda key: (-texts[key].count, key))[:TEXTS]
            self.frequent[kind] = {key: texts[key] for key in often}

    def _sample(self, name: str, document: Document, i: int, location: Location) -> None:
        texts = document.source.texts
        if (sample := self.samples.get(name)) is None:
            sample = self.samples[name] = Sample(_SAMPLED.get(name, _SAMPLED_OF_A_KIND))
        rank = zlib.crc32(texts[i].encode("utf-8", "surrogatepass"))
        if not sample.wants(rank):
            return
        before, after = texts[i - 1] if i else "", texts[i + 1] if i + 1 < len(texts) else ""
        content = round(float(document.probabilities[i, _CONTENT]), 4)
        kind = document.kinds[i].value
        shown = _beginning(texts[i], _SHOWN), kind, content, _end(before, _AROUND), _beginning(after, _AROUND)
        sample.add(rank, Example(*shown, location))

    def to_json(self) -> bytes:
        """The survey as `from_json` reads it; what is too rare to be kept is forgotten first."""
        self._forget_sites()
        for kind in self.frequent:
            self._forget_texts(kind, 1)
        found = {
            "sites": {site: self.sites[site] for site in self.largest_sites()},
            "others": self.others,
            "removed_characters": self.removed_characters,
            "frequent": dict(sorted(self.frequent.items())),
            "samples": {
                name: {"size": sample.size, "items": dict(sorted(sample.items.items()))}
                for name, sample in sorted(self.samples.items())
            },
        }
        return json.dumps(found, default=_members).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Survey:
        """A survey that was written.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is none.
        """
        found = json.loads(raw)
        survey = cls(
            {site: _counts(row) for site, row in found["sites"].items()},
            _counts(found["others"]),
            found["removed_characters"],
            {
                kind: {key: Frequent(**_located(row)) for key, row in rows.items()}
                for kind, rows in found["frequent"].items()
            },
        )
        for name, row in found["samples"].items():
            sample = survey.samples[name] = Sample(row["size"])
            for rank, example in row["items"].items():
                sample.add(int(rank), Example(**_located(example)))
        return survey


def merge_surveys(surveys: Iterable[Survey]) -> Survey:
    """One survey of all that several saw, which have to come in the same order each time."""
    whole = Survey()
    for survey in surveys:
        whole.update(survey)
    return whole


def _site(url: str | None) -> str:
    return site_of(url, strict=False) or NO_SITE


def _beginning(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"


def _end(text: str, length: int) -> str:
    return text if len(text) <= length else "…" + text[-length:]


def _counts(row: dict[str, Any]) -> Counts:
    return Counts(**row | {"most": row["most"] and Location(**row["most"])})


def _located(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"location": Location(**row["location"])}
