"""The article's text as the page itself gives it to search engines, in JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

JSON_LD = "application/ld+json"
"""The type of the scripts that hold it."""


def longest_body(known: str | None, script: str) -> str | None:
    """The longest articleBody of those in a script and of one known before; None where there is none that can be read.

    >>> longest_body("Rain.", '{"@type": "NewsArticle", "articleBody": "It rained all day."}')
    'It rained all day.'
    """
    if '"articleBody"' not in script:
        return known
    try:
        data = json.loads(script, strict=False)
    except (ValueError, RecursionError):
        return known  # pages get it wrong often, and it is no more than evidence
    return max((known or "", *_bodies(data)), key=len) or None


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
