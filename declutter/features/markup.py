"""What a page's markup says of a block: tags, where it stands in the tree, links, repeated structure, and the names in class and id."""

from __future__ import annotations

import html
import re
from functools import cache

import numpy as np

from declutter.features.words import Words, find_words
from declutter.readers.page import TAG, TAGS, Page

NAME_BUCKETS = 1 << 14
_TITLE_BITS, _PAIR_BITS = 14, 18
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MARKUP = re.compile("<[^>]{1,1000}>")
LEVELS = 4  # the block's own element and three around it

_OWN = (
    ("p", ("p",)), ("h1", ("h1",)), ("h2", ("h2",)), ("h3 to h6", ("h3", "h4", "h5", "h6")), ("li", ("li",)),
    ("dt, dd", ("dt", "dd")), ("table cell", ("td", "th", "tr")), ("blockquote", ("blockquote",)), ("pre", ("pre",)),
    ("figcaption", ("figcaption", "figure")),
    ("div", ("div",)), ("section or article", ("section", "article", "main")),
    ("form control", ("button", "option", "textarea", "select", "legend", "fieldset", "form")),
)  # fmt: skip
_AROUND = (
    "article",
    "main",
    "header",
    "footer",
    "nav",
    "aside",
    "form",
    "table",
    "ul",
    "ol",
    "figure",
    "section",
    "blockquote",
    "dl",
    "button",
    "li",
)

MARKUP = (
    *((f"<{name}>", f"stands in <{name}>") for name, _ in _OWN),
    *((f"within <{name}>", f"lies within <{name}>") for name in _AROUND),
    ("hidden", "is not displayed"),
    ("depth", "depth of its element"),
    ("link density", "share of its characters inside links"),
    ("no link", "holds no link"),
    ("emphasis", "share of its characters in bold or italic type"),
    ("is the headline", "is the page's own headline"),
    ("after the headline", "stands after the page's own headline"),
    ("from the headline", "paragraphs since the page's own headline"),
    ("likeness to the title", "share of its words that the page's title uses"),
    ("in JSON-LD", "share of its pairs of words that the article in the page's JSON-LD uses"),
    ("article in JSON-LD", "characters of the article in the page's JSON-LD"),
    ("JSON-LD on the page", "share of the article in the page's JSON-LD that stands on the page"),
    ("linked before", "share of the characters of the block before inside links"),
    ("linked after", "share of the characters of the block after inside links"),
    ("same tag before", "the block before has the same tag and names"),
    ("same tag after", "the block after has the same tag and names"),
    *(
        (f"{name}, {level} up", f"{meaning}, {level} level{'s' * (level != 1)} up")
        for level in range(LEVELS)
        for name, meaning in (
            ("characters", "characters in the element"),
            ("share", "share of the page's running text in the element"),
            ("blocks", "number of blocks in the element"),
            ("links", "share of the element's characters inside links"),
            ("running text", "share of the element's characters in long blocks"),
            ("alike", "number of neighbouring elements with the same tag and names"),
        )
    ),
)
"""Name and meaning of every column of `markup`."""


@cache
def _own_matrix() -> np.ndarray:
    matrix = np.zeros((len(TAGS), len(_OWN)), np.float32)
    for column, (_, tags) in enumerate(_OWN):
        matrix[[TAG[tag] for tag in tags], column] = 1
    return matrix


@cache
def _around_matrix() -> np.ndarray:
    matrix = np.zeros((len(TAGS), len(_AROUND)), np.int32)
    for column, tag in enumerate(_AROUND):
        matrix[TAG[tag], column] = 1
    return matrix


class Tree:
    """A page's block elements as arrays, with what is shared by markup columns and scores.

    Attributes:
        blocks: element of each block.
        parents, tags, first, last: see `readers.page.Page`; the root is its own parent.
        ancestors: element of each block, and the ones around it: `LEVELS` x blocks.
    """

    def __init__(self, page: Page):
        self.page = page
        self.blocks = np.array(page.blocks, np.int64)
        self.parents = np.maximum(np.array(page.parents, np.int64), 0)
        self.tags = np.array(page.tags, np.int64)
        self.first = np.array(page.first, np.int64)
        self.last = np.array(page.last, np.int64)
        ends = np.array(page.ends, np.int64)
        self._by_end = np.argsort(ends, kind="stable")
        self._ended = np.searchsorted(
            ends[self._by_end], self.blocks, side="right"
        )  # elements that end before each block
        ancestors = [self.blocks]
        for _ in range(LEVELS - 1):
            ancestors.append(self.parents[ancestors[-1]])
        self.ancestors = np.stack(ancestors)

    def totals(self, values: np.ndarray) -> np.ndarray:
        """Sums of a value of blocks over every element's subtree, from running sums."""
        sums = np.zeros((len(values) + 1, *values.shape[1:]), values.dtype)
        np.cumsum(values, axis=0, out=sums[1:])
        return sums[self.last] - sums[self.first]

    def handed_down(self, values: np.ndarray) -> np.ndarray:
        """For every block sums of a value of its element and of all around it: of those that begin before it less those that end."""
        ended = np.zeros((len(values) + 1, values.shape[1]), values.dtype)
        np.cumsum(values[self._by_end], axis=0, out=ended[1:])
        return np.cumsum(values, axis=0)[self.blocks] - ended[self._ended]


def markup(tree: Tree, words: Words, lengths: np.ndarray, columns: np.ndarray) -> None:
    """Fills in the markup columns of `features.FEATURES`, in their order: float32, blocks x columns."""
    page, count = tree.page, len(tree.blocks)
    own_tags = tree.tags[tree.blocks]
    at = len(_OWN)
    columns[:, :at] = _own_matrix()[own_tags]
    handed = np.empty((len(tree.parents), len(_AROUND) + 2), np.int32)
    handed[:, 0], handed[:, 1], handed[:, 2:] = 1, page.hidden, _around_matrix()[tree.tags]
    handed = tree.handed_down(handed)
    columns[:, at : at + len(_AROUND)] = handed[:, 2:] > 0
    at += len(_AROUND)
    linked = np.array(page.linked, np.float32)
    density = np.minimum(linked / np.maximum(lengths, 1), 1)
    identity, alike = _identities(tree)
    headline = -1 if page.headline is None else page.headline
    after = np.maximum(np.arange(count) - headline, 0) if headline >= 0 else np.zeros(count)
    same = np.zeros(count + 1, np.float32)
    same[1:-1] = identity[tree.blocks[1:]] == identity[tree.blocks[:-1]]
    columns[:, at] = handed[:, 1] > 0
    columns[:, at + 1] = (handed[:, 0] - 1) / 10
    columns[:, at + 2] = density
    columns[:, at + 3] = linked == 0
    columns[:, at + 4] = np.minimum(np.array(page.emphasised, np.float32) / np.maximum(lengths, 1), 1)
    columns[:, at + 5] = np.arange(count) == headline
    columns[:, at + 6] = after > 0
    columns[:, at + 7] = np.log1p(after)
    columns[:, at + 8] = _title_likeness(page, words)
    columns[:, at + 9 : at + 12] = _json_ld(page.article_body, words, lengths)
    columns[0, at + 12], columns[1:, at + 12] = 0, density[:-1]
    columns[-1, at + 13], columns[:-1, at + 13] = 0, density[1:]
    columns[:, at + 14] = same[:-1]
    columns[:, at + 15] = same[1:]
    at += 16

    running = lengths * (lengths >= 80) * (density < 0.5)
    of_nodes = tree.totals(np.stack((lengths, running, np.ones(count, np.float32), linked), axis=1).astype(np.float64))
    characters = np.maximum(of_nodes[:, 0], 1)
    whole = max(1.0, float(running.sum()))
    table = np.stack(
        (
            np.log1p(of_nodes[:, 0]),
            of_nodes[:, 1] / whole,
            np.log1p(of_nodes[:, 2]),
            np.minimum(of_nodes[:, 3] / characters, 1),
            of_nodes[:, 1] / characters,
            np.log(alike),
        ),
        axis=1,
    )
    columns[:, at:] = table[tree.ancestors].transpose(1, 0, 2).reshape(count, -1)


def _identities(tree: Tree) -> tuple[np.ndarray, np.ndarray]:
    """The number of every element's label, and how many children of its parent share them."""
    identity = np.array(tree.page.names, np.int64)
    _, inverse, counts = np.unique(identity * len(identity) + tree.parents, return_inverse=True, return_counts=True)
    return identity, counts[inverse].astype(np.float32)


def _title_likeness(page: Page, words: Words) -> np.ndarray:
    title = page.share_title or page.title
    if not title:
        return np.zeros(len(words.first) - 1, np.float32)
    wanted = find_words([title])
    table = np.zeros(1 << _TITLE_BITS, bool)
    table[_title_slots(wanted)[wanted.ends - wanted.starts > 2]] = True
    shared: np.ndarray = np.add.reduceat(table[_title_slots(words)], words.first[:-1], dtype=np.float32)
    shared /= words.counts
    return shared


def _json_ld(body: str | None, words: Words, lengths: np.ndarray) -> np.ndarray:
    """What the article in the page's JSON-LD says of each block: float32, blocks x 3."""
    found = np.zeros((len(lengths), 3), np.float32)
    if body is None:
        return found
    text = _MARKUP.sub(" ", html.unescape(body))
    table = np.zeros(1 << _PAIR_BITS, bool)
    table[_pair_slots(find_words([text]).hashes)] = True
    shared = table[_pair_slots(words.hashes)]
    shared[words.first[1:] - 1] = False  # the last word of a block has no partner
    found[:, 0] = np.add.reduceat(shared, words.first[:-1], dtype=np.float32) / np.maximum(words.counts - 1, 1)
    found[:, 1] = np.log1p(len(text)) / 8
    found[:, 2] = (found[:, 0] * lengths).sum() / max(1, len(text))
    return found


def _pair_slots(hashes: np.ndarray) -> np.ndarray:
    """Slots for each word with the one after it; the last one of all has none."""
    pairs = hashes * _ODD
    pairs[:-1] += hashes[1:]
    return (pairs >> np.uint64(64 - _PAIR_BITS)).astype(np.intp)


def _title_slots(words: Words) -> np.ndarray:
    return (words.hashes >> np.uint64(64 - _TITLE_BITS)).astype(np.intp)


def name_rows(page: Page) -> tuple[np.ndarray, np.ndarray]:
    """Rows in a table of `NAME_BUCKETS` weights for the tag and the words in class, id and role of every label.

    Returns:
        rows: of every word of every label.
        first: index of the first row of each label, and the number of rows.
    """
    found = find_words(page.labels)
    rows = (((found.hashes >> np.uint64(32)) * np.uint64(NAME_BUCKETS)) >> np.uint64(32)).astype(np.int64)
    return rows, found.first


def score_names(tree: Tree, table: np.ndarray, scale: np.ndarray | float = 1.0) -> np.ndarray:
    """Evidence of the names of a block's element and of the elements around it: float32, blocks x kinds.

    Args:
        table: `NAME_BUCKETS` rows; its left half weighs the names of the block's own element, its right half those around.
        scale: what the table's columns are to be multiplied with.
    """
    rows, first = name_rows(tree.page)
    sums = np.add.reduceat(table.take(rows, axis=0), first[:-1], axis=0, dtype=np.float32)
    sums *= scale / np.sqrt(first[1:] - first[:-1], dtype=np.float32)[:, None]
    own, around = np.split(sums[np.array(tree.page.names)], 2, axis=1)
    found: np.ndarray = own[tree.blocks] + tree.handed_down(around.astype(np.float64)) - around[tree.blocks]
    return found


REGION = (
    *(
        (
            f"article share, {level} up",
            f"how much of the element {level} level{'s' * (level != 1)} up looks like article",
        )
        for level in range(LEVELS)
    ),
    ("in the article's element", "lies in the element that holds most of the article"),
    ("before the article's element", "lies before the element that holds most of the article"),
    ("after the article's element", "lies after the element that holds most of the article"),
)
"""Name and meaning of every column of `region`."""


def region(tree: Tree, article: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Where the article seems to be, from the scores of a pass before: float32, blocks x columns.

    The article's element is the one whose blocks hold most likely article characters less unlikely ones.

    Args:
        article: probability of content of each block.
        lengths: characters of each block.
    """
    count = len(tree.blocks)
    values = np.stack((article * lengths, lengths, (article - 0.5) * lengths), axis=1).astype(np.float64)
    of_nodes = tree.totals(values)
    share = of_nodes[:, 0] / np.maximum(of_nodes[:, 1], 1)
    best = len(of_nodes) - 1 - int(np.argmax(of_nodes[::-1, 2]))  # of equals the innermost
    columns = np.empty((count, len(REGION)), np.float32)
    columns[:, :LEVELS] = share[tree.ancestors].T
    index = np.arange(count)
    columns[:, LEVELS] = (index >= tree.first[best]) & (index < tree.last[best])
    columns[:, LEVELS + 1] = index < tree.first[best]
    columns[:, LEVELS + 2] = index >= tree.last[best]
    return columns
