"""What the pages that declutter writes have in common: they are one file each, load nothing, and run no text that they show.

A page is a template beside its writer, with the style that all share. Whatever is put into it is escaped, unless `markup` made it;
and the page's own policy forbids the browser to load anything, or to run a script other than the template's.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from declutter.kinds import Kind

_STYLE = Path(__file__).with_name("pages.css")
_SCRIPT = re.compile("<script>(.*?)</script>", re.S)
# What HTML cannot hold becomes a sign for that; a carriage return it would read as a line break.
_AS_HTML = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd") | {13: "&#13;"}


class Markup(str):
    """HTML that is meant as such."""

    __slots__ = ()


def markup(form: str, *values: object) -> Markup:
    """HTML with values in it; each is escaped unless it is markup itself.

    Args:
        form: the HTML, with "{}" for each value, as for `str.format`.
        values: what comes there.
    """
    return Markup(form.format(*map(_escaped, values)))


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """Pieces of HTML as one."""
    return Markup(between.join(parts))


def _escaped(value: object) -> Markup:
    """A value as HTML shows it; nothing is lost but what HTML cannot hold: U+0000 and surrogates."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)).translate(_AS_HTML))


def fill_page(template: Path, **parts: object) -> str:
    """A page from its template, which names each part as in "$title".

    Args:
        template: the HTML; it also names $policy and $style, which every page has.
        parts: what comes there, escaped unless it is markup.
    """
    text = template.read_text(encoding="utf-8")
    style = Markup(_STYLE.read_text(encoding="utf-8").replace("/*hues*/", _hues()))
    return Template(text).substitute(
        {name: _escaped(value) for name, value in parts.items()}, style=style, policy=_policy(_SCRIPT.findall(text))
    )


def _policy(scripts: Iterable[str]) -> str:
    """What the browser may do: show the page's own style and run the template's scripts, told by their checksums."""
    sums = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{found}'" for found in sums) or "'none'"
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'; form-action 'none'"


def _hues() -> str:
    """A colour of its own for every kind but content; the angle keeps neighbours apart."""
    coloured = [kind.value for kind in Kind if kind is not Kind.CONTENT]
    return "\n".join(f".{kind} {{ --hue: {i * 139 % 360} }}" for i, kind in enumerate(coloured, 1))
