"""What a paragraph can be: one literal table, which also makes the README's."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import NamedTuple

from declutter.errors import UsageError


class Kind(str, enum.Enum):
    """What one paragraph is on its page."""

    CONTENT = "content"
    HEADLINE = "headline"
    CAPTION = "caption"
    BYLINE = "byline"
    APPEAL = "appeal"
    PAYWALL = "paywall"
    SIGNUP = "signup"
    SOCIAL = "social"
    CONSENT = "consent"
    RELATED = "related"
    NAVIGATION = "navigation"
    ADVERT = "advert"
    LEGAL = "legal"
    COMMENT = "comment"
    INTERFACE = "interface"

    def __str__(self) -> str:
        return self.value

    __hash__ = str.__hash__  # that of the equal str; an Enum's own is that of its name, and slow


class KindRow(NamedTuple):
    """One row of KINDS: the kind, its letter in label files, what it is, and whether it is a publisher's notice."""

    kind: Kind
    letter: str
    meaning: str
    notice: bool


KINDS = (
    KindRow(
        Kind.CONTENT, "C", "the article itself: paragraphs, sub-headings, quotations, lists, tables, corrections", False
    ),
    KindRow(Kind.HEADLINE, "H", "the page's own headline (in plain text it may also be called content)", False),
    KindRow(Kind.CAPTION, "P", "caption, alternative text or credit of a picture, video or chart", False),
    KindRow(Kind.BYLINE, "B", "author, date, place, reading time, agency or source credit", False),
    KindRow(Kind.APPEAL, "A", "asks for money or membership, with its salutation, amounts and buttons", True),
    KindRow(Kind.PAYWALL, "W", "the rest is for subscribers: log in, trials, prices, free articles left", True),
    KindRow(Kind.SIGNUP, "N", "newsletter, alert, app, podcast or channel offers and their forms", True),
    KindRow(Kind.SOCIAL, "S", "share, print, save, like and follow prompts, share counts", True),
    KindRow(Kind.CONSENT, "K", "cookies, tracking, blocked embeds, ad-blocker, JavaScript and robot notices", True),
    KindRow(Kind.RELATED, "R", "links to and teasers of other articles", True),
    KindRow(Kind.NAVIGATION, "V", "menus, breadcrumbs, sections, tags, pagination, search", True),
    KindRow(Kind.ADVERT, "D", "advertisements, sponsored content, shop, deal, event and job boxes", True),
    KindRow(Kind.LEGAL, "L", "copyright, licences, terms, disclaimers, imprint, contact and tip lines", True),
    KindRow(Kind.COMMENT, "M", "readers' comments, comment rules and counts, polls", True),
    KindRow(Kind.INTERFACE, "I", "player controls, loading texts, widgets, machine residue", True),
)

NOTICES = frozenset(row.kind for row in KINDS if row.notice)
LETTERS = {row.letter: row.kind for row in KINDS}

# What the classifier tells apart, in the order of its outputs: the page's own headline is told by its title, not by a score.
SCORED = tuple(row.kind for row in KINDS if row.kind is not Kind.HEADLINE)


def parse_kinds(names: Iterable[str] | str) -> frozenset[Kind]:
    """Kinds from their names, given as one comma-separated string or as an iterable of names or kinds.

    Raises:
        UsageError: a name is not a kind; the message lists the kinds there are.
    """
    listed = names.split(",") if isinstance(names, str) else list(names)
    kinds = set()
    for name in listed:
        try:
            kinds.add(Kind(name.strip().lower() if isinstance(name, str) else name))
        except ValueError:
            raise UsageError(
                f"unknown kind {str(name).strip()!r}; the kinds are {', '.join(kind.value for kind in Kind)}"
            ) from None
    return frozenset(kinds)


def kinds_table() -> str:
    """The kinds as a Markdown table, as the README prints them."""
    rows = (
        f"| `{row.kind}` | {row.meaning} | {'kept' if row.kind in (Kind.CONTENT, Kind.HEADLINE) else 'stripped'} |"
        for row in KINDS
    )
    return "\n".join(("| kind | what it is | by default |", "|---|---|---|", *rows))
