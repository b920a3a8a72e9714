"""Notices put into pages as elements among those of the article: how the classifier of pages learns notices without markup of their own.

Publishers put an appeal into the article's element as often as into a box with a telling name. Few pages of the public sets hold
one, and on those alone the classifier learns that what stands among the article's paragraphs is article, whatever it says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from lxml import etree

from declutter.errors import DeclutterError
from declutter.readers.html import find_elements, parse_page
from declutter.training.align import INSIDE, in_gold

NEAR = 8  # blocks of an article around a notice that say whether it is told from the article
_ENOUGH = 4  # paragraphs of an article that something can be put among
_LONG = 80  # characters of a block that is a paragraph whatever its tag
_BOXES = ("div", "aside", "section")


def plant(
    markup: str, gold: str, lines: Sequence[str], place: str, random: np.random.Generator
) -> etree._Element | None:
    """A page's tree with a notice among the paragraphs of its article; None where it has no article to put it into.

    Args:
        markup: of the page.
        gold: the page's article.
        lines: of the notice; each becomes an element.
        place: "start", "middle" or "end" of the article.
        random: what decides on the paragraph it goes next to, and on its markup: that of the paragraph, none, or a box around it.
    """
    tree, article = _article(markup, gold)
    if tree is None or len(article) < _ENOUGH:
        return None
    number = {"start": 0, "middle": int(random.integers(1, len(article) - 1)), "end": len(article) - 1}[place]
    neighbour = article[number]
    parent = neighbour.getparent()
    if parent is None or neighbour.tag in ("body", "td"):
        return None
    notice = [etree.Element(neighbour.tag if neighbour.tag == "div" else "p") for _ in lines]
    for element, line in zip(notice, lines, strict=True):
        element.text = line
    dress = random.random()
    if dress < 0.5:
        for element in notice:
            element.attrib.update({name: value for name, value in neighbour.attrib.items() if name != "id"})
    elif dress > 0.75:
        box = etree.Element(_BOXES[int(random.integers(len(_BOXES)))])
        box.extend(notice)
        notice = [box]
    at = parent.index(neighbour) + (place != "start")
    if place != "start":
        notice[-1].tail, neighbour.tail = neighbour.tail, None
    parent[at:at] = notice
    return tree


def transplant(markup: str, gold: str, lines: Sequence[str]) -> etree._Element | None:
    """A page's tree with the paragraphs of another article in the place of its own; None where it has none.

    Args:
        markup: of the page.
        gold: the page's article.
        lines: of the other article. Paragraphs of the page that are left over go.
    """
    tree, article = _article(markup, gold)
    if tree is None or len(article) < _ENOUGH or len(set(article)) < len(article):
        return None
    for element in article[len(lines) :]:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    for element, line in zip(article, lines, strict=False):
        del element[:]
        element.text = line
    return tree


def _article(markup: str, gold: str) -> tuple[etree._Element | None, list[etree._Element]]:
    """A page's tree, and the elements that hold a paragraph of its article."""
    try:
        tree = parse_page(markup)
        texts, elements = find_elements(tree)
    except DeclutterError:
        return None, []
    return tree, [
        element
        for element, text, inside in zip(elements, texts, in_gold(texts, gold), strict=True)
        if inside == INSIDE and (element.tag == "p" or len(text) >= _LONG)
    ]


def find_planted(texts: Sequence[str], lines: Sequence[str]) -> dict[int, int]:
    """The blocks of a page that are the lines of a notice or an article: number of the block to number of the line, in order."""
    found: dict[int, int] = {}
    start = 0
    for number, line in enumerate(lines):
        wanted = " ".join(line.split())
        block = next((i for i in range(start, len(texts)) if texts[i] == wanted), None)
        if block is not None:
            found[block] = number
            start = block + 1
    return found
