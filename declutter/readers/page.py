"""What is read of a page: its blocks and the elements they stand in, as plain lists; and, when asked, what stands in a block.

It needs no parser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

# Tags that end a block of text. The order is the tag's number in `Page.tags`; 0 is every other element that holds a block.
TAGS = (
    "", "html", "body", "main", "article", "section", "div", "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul",
    "ol", "dl", "dt", "dd", "blockquote", "pre", "figure", "figcaption", "table", "tr", "td", "th", "caption",
    "header", "footer", "nav", "aside", "form", "fieldset", "button", "select", "option", "textarea", "label",
    "details", "summary", "dialog", "address", "center", "hr", "iframe", "video", "tbody", "thead", "tfoot", "menu",
    "picture", "audio", "legend",
)  # fmt: skip
TAG = {tag: number for number, tag in enumerate(TAGS)}


@dataclass(slots=True)
class Page:
    """A page's blocks and block elements as parallel lists; elements ("nodes") come in document order, the root first.

    Attributes:
        title: of the document head, "" if there is none.
        share_title: og:title or twitter:title, "" if there is none.
        article_body: the article in the page's JSON-LD, or None.
        headline: index of the block that is the page's own headline, or None.
        blocks: for each block the number of the node it stands in.
        linked, emphasised: characters of each block inside links and inside bold or italic type.
        parents, tags: for each node its parent's number and its tag's number in TAGS.
        names: for each node the number of its label.
        labels: the different labels: an element's tag, class, id, role and the like as one string.
        hidden: for each node whether it says that it, and what is in it, is not displayed.
        first, last: for each node the first block within it, and the first after it.
        ends: for each node the number of the first node after it that it does not hold.
        origin: the markup, or the root of the tree, that was read.
    """

    title: str = ""
    share_title: str = ""
    article_body: str | None = None
    headline: int | None = None
    blocks: list[int] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    emphasised: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    names: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    hidden: list[bool] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    origin: Any = None

    def paths(self) -> list[str | None]:
        """XPath of the element that holds each block, see `readers.html.find_paths`."""
        from declutter.readers.html import find_paths

        return find_paths(self)

    def markup(self, texts: list[str]) -> Markup | None:
        """Inline markup of each block, see `readers.inline.find_markup`."""
        from declutter.readers.inline import find_markup

        return find_markup(self, texts)


class Mark(NamedTuple):
    """An inline element, or a picture.

    Attributes:
        tag: its tag.
        attributes: those of its attributes that mean something by themselves.
        number: tells it from its neighbours; 0 for emphasis, which is one where two follow one another.
    """

    tag: str
    attributes: dict[str, str]
    number: int = 0


class Run(NamedTuple):
    """Text with the inline elements it stands in, outermost first, and the white space before it ("" at a block's start)."""

    space: str
    text: str
    marks: tuple[Mark, ...] = ()


class Piece(NamedTuple):
    """The text of a block; a data table's row has one piece for each of its cells.

    Attributes:
        node: number of the node it stands in.
        runs: its text and inline markup.
        continues: whether nothing but a single line break parts it from the block before.
    """

    node: int
    runs: list[Run]
    continues: bool = False


@dataclass(slots=True)
class Markup:
    """What stands in the blocks of a page.

    Attributes:
        blocks: the pieces of each block, in the order of the page's blocks.
        spans: colspan and rowspan of the cells that have one, by node.
        pictures: the pictures in each figure, by node.
    """

    blocks: list[list[Piece]] = field(default_factory=list)
    spans: dict[int, dict[str, str]] = field(default_factory=dict)
    pictures: dict[int, list[Mark]] = field(default_factory=dict)
