"""The article's text as the page itself gives it to search engines, in JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lxml import etree

from declutter.readers.html import parse_page


def find_article_body(origin: Any) -> str | None:
    """The longest articleBody in a page's JSON-LD; None where there is none that can be read.

    Args:
        origin: the page's markup or an element of its tree, whose whole tree is searched.
    """
    root = origin.getroottree() if isinstance(origin, etree._Element) else parse_page(origin)
    bodies: list[str] = []
    for script in root.iter("script"):
        if script.get("type", "").strip().lower() == "application/ld+json":
            try:
                data = json.loads(script.text or "", strict=False)
            except (ValueError, RecursionError):
                continue  # pages get it wrong often, and it is no more than an offer
            bodies += _bodies(data)
    return max(bodies, key=len, default=None)


def _bodies(data: Any) -> Iterator[str]:
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            body = value.get("articleBody")
            if isinstance(body, str) and body.strip():
                yield body
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
