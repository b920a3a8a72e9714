"""Pages made of written texts and of real pages: what the public sets of pages have too little of for a classifier to learn it.

Publishers put an appeal into the article's element as often as into a box with a telling name. Few pages of the public sets hold
one, and on those alone the classifier learns that what stands among the article's paragraphs is article, whatever it says: notices
are planted there, and hard negatives take an article's place. And all of these pages have an article: small ones, built of a message
(page not found, log in, prove that you are no robot) or of a very short article, show that some have none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from lxml import etree

from declutter.errors import DeclutterError
from declutter.kinds import Kind
from declutter.readers.html import find_elements, parse_page
from declutter.readers.json_ld import JSON_LD
from declutter.training.align import INSIDE, in_gold

NEAR = 8  # blocks of an article around a notice that say whether it is told from the article
_ENOUGH = 4  # paragraphs of an article that something can be put among
_LONG = 80  # characters of a block that is a paragraph whatever its tag
_BOXES = ("div", "aside", "section")
_FURNITURE = (Kind.NAVIGATION, Kind.LEGAL, Kind.SOCIAL)
_WRAPPERS = ("content", "main", "container", "page", "wrapper")
_BUTTON = 40  # characters of a line that may be a button, a link or an item of a list


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
    """A page's tree with other paragraphs in the place of its article's; None where it has none.

    The first of them becomes the page's title, and what its head says besides of the old article goes.

    Args:
        markup: of the page.
        gold: the page's article.
        lines: the other paragraphs. Those of the page that are left over go.
    """
    tree, article = _article(markup, gold)
    if tree is None or len(article) < _ENOUGH or len(set(article)) < len(article):
        return None
    for element in tree.iter("title", "meta", "script"):
        parent = element.getparent()
        if element.tag == "title" and parent is not None and parent.tag == "head":
            element.text = lines[0]
        elif element.tag == "meta":
            element.attrib.clear()
        elif element.get("type") == JSON_LD:
            element.text = None
    for element in article[len(lines) :]:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    for element, line in zip(article, lines, strict=False):
        del element[:]
        element.text = line
    return tree


def build(lines: Sequence[str], kinds: Sequence[Kind], random: np.random.Generator) -> etree._Element:
    """The tree of a small page of a text and nothing else.

    The markup says where the page's furniture ends, as it does on most sites, but not what is an article and what is a message: what
    stands between has the same elements in both.

    Args:
        lines: of the text; one at least.
        kinds: of its lines.
        random: what decides on the markup.
    """
    first = next((i for i, kind in enumerate(kinds) if kind not in _FURNITURE), len(kinds))
    last = next((i for i in range(len(kinds) - 1, first - 1, -1) if kinds[i] not in _FURNITURE), first - 1)
    page = etree.Element("html")
    if random.random() < 0.8:
        etree.SubElement(etree.SubElement(page, "head"), "title").text = lines[min(first, len(lines) - 1)]
    body = etree.SubElement(page, "body")
    _links(body, ("header", "nav", "div")[int(random.integers(3))], lines[:first], random)
    main = etree.SubElement(body, ("main", "div", "section", "article")[int(random.integers(4))])
    if random.random() < 0.3:
        main.set("class", _WRAPPERS[int(random.integers(len(_WRAPPERS)))])
    heading = ("h1", "h1", "h2", "p", "div")[int(random.integers(5))]
    paragraph = ("p", "p", "p", "div")[int(random.integers(4))]
    for i in range(first, last + 1):
        short = i > first and len(lines[i]) < _BUTTON and random.random() < 0.5
        tag = ("li", "a", "button", "h3")[int(random.integers(4))] if short else heading if i == first else paragraph
        parent = etree.SubElement(main, "p") if tag in ("a", "button") else main
        etree.SubElement(parent, tag).text = lines[i]
    _links(body, ("footer", "div")[int(random.integers(2))], lines[last + 1 :], random)
    return page


def _links(body: etree._Element, tag: str, lines: Sequence[str], random: np.random.Generator) -> None:
    """A menu or footer of some lines: a list, or links one after the other."""
    if lines:
        box = etree.SubElement(body, tag)
        item = "li" if random.random() < 0.5 else "p"
        for line in lines:
            element = etree.SubElement(box, item)
            if len(line) < _BUTTON:
                element = etree.SubElement(element, "a", href="/")
            element.text = line


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
