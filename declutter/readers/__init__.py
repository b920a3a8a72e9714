"""Any input to paragraphs: finds out what a source is and hands it to the reader for it.

A reader is one row of `READERS`; `read` decides which.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from declutter.document import Source
from declutter.errors import SourceError, UsageError
from declutter.readers.text import BYTE_ORDER_MARK, read_text

UNITS = ("auto", "line", "block")
PAGE_SUFFIXES = frozenset((".html", ".htm", ".xhtml"))
TEXT_SUFFIXES = frozenset((".txt", ".text", ".md"))

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PAGE_START = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|link|script|style|article|main|section|div|p|table|h[1-6]|ul|ol|header|nav|span|a|img|br)\b",
    re.I | re.S,
)
_BLOCK_TAG = re.compile(
    r"</(?:p|div|h[1-6]|li|ul|ol|table|tr|td|section|article|body|html|blockquote)\s*>|<br\s*/?>", re.I
)
_XML_START = re.compile(r"\s*<\?xml|\s*<(?:rss|feed|urlset|svg)\b", re.I)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1f]")
_SNIFFED = 1 << 16  # characters looked at to tell a page from text


def read(source: Any, format: str = "auto", unit: str = "auto") -> Source:
    """Reads a source into paragraphs.

    Args:
        source: str, bytes, a path, an lxml element or tree, a BeautifulSoup object or tag, or a list of paragraphs.
        format: "html", "text", or "auto" to find out.
        unit: what a paragraph of text is, see `read_text`.

    Raises:
        UsageError: an unknown format or unit, or a source of a type that cannot be read.
        SourceError: the source cannot be read, is empty or binary, or is neither a page nor text.
    """
    if format not in ("auto", *READERS):
        raise UsageError(f"unknown format {format!r}; the formats are auto, {', '.join(READERS)}")
    if unit not in UNITS:
        raise UsageError(f"unknown unit {unit!r}; the units are {', '.join(UNITS)}")
    if isinstance(source, Path):
        suffix = source.suffix.lower()
        if format == "auto":
            format = "html" if suffix in PAGE_SUFFIXES else "text" if suffix in TEXT_SUFFIXES else "auto"
        source = _read_file(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        text, encoding = decode(bytes(source), format)
        return READERS[_told(text, format)](text, unit, encoding)
    if isinstance(source, str):
        return READERS[_told(source, format)](source, unit, None)
    if isinstance(source, (list, tuple)) and all(isinstance(item, str) for item in source):
        return Source("list", list(source))
    return _read_tree(source)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from None


def _read_page(markup: str, unit: str, encoding: str | None) -> Source:
    from declutter.readers import html

    return html.read_page(markup, encoding)


def _read_plain(text: str, unit: str, encoding: str | None) -> Source:
    return read_text(text, unit, encoding)


READERS: dict[str, Callable[[str, str, str | None], Source]] = {"html": _read_page, "text": _read_plain}
"""Reader of each format; takes the decoded source, the unit and the encoding."""


def _read_tree(source: Any) -> Source:
    """An lxml element or tree, or a BeautifulSoup object or tag; neither is changed."""
    package = type(source).__module__.partition(".")[0]
    if package == "bs4" and hasattr(source, "decode"):
        return _read_page(source.decode(), "auto", None)
    if package == "lxml":
        from declutter.readers import html

        root = source.getroot() if hasattr(source, "getroot") else source
        if root is None or not isinstance(root.tag, str):
            raise SourceError("the lxml tree holds no element")
        return html.read_page(root)
    raise UsageError(
        f"cannot read a {type(source).__name__}; give str, bytes, Path, an lxml or BeautifulSoup tree, or a list of paragraphs"
    )


def decode(raw: bytes, format: str = "auto") -> tuple[str, str]:
    """Text of some bytes and the encoding they were in: what a byte order mark says, strict UTF-8, then what a page declares.

    Raises:
        SourceError: the bytes are empty (where it is open whether they are a page) or binary.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError:
                break
    if raw.startswith(
        (b"%PDF-", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x28\xb5\x2f\xfd", b"\x7fELF")
    ):
        raise SourceError("is binary (a PDF, an archive, a picture or a program), not a page or text")
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if format != "html" and raw.count(b"\x00") > len(raw) // 1000:
        raise SourceError("is binary, not a page or text")
    from bs4.dammit import EncodingDetector

    declared = (EncodingDetector.find_declared_encoding(raw, is_html=True) or "").lower()
    for encoding in (_MEANT.get(declared, declared), "windows-1252"):
        if encoding and not encoding.startswith(
            ("utf-16", "utf-32")
        ):  # bytes that could be read to find this are neither
            try:
                return raw.decode(encoding), encoding
            except (LookupError, UnicodeError):
                continue
    return raw.decode("latin-1"), "latin-1"


# What pages mean that declare these (the labels of the WHATWG Encoding Standard that Python reads more narrowly)
_MEANT = {
    "ascii": "windows-1252", "us-ascii": "windows-1252", "iso-8859-1": "windows-1252", "latin1": "windows-1252",
    "iso-8859-9": "windows-1254", "iso-8859-11": "windows-874", "tis-620": "windows-874", "gb2312": "gb18030", "gbk": "gb18030",
    "big5": "big5hkscs", "shift_jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
}  # fmt: skip


def _told(text: str, format: str) -> str:
    """The format of a text, found out from its beginning where it is "auto"."""
    if format == "text" and _CONTROL.search(text):
        _refuse_binary(text)
    if format != "auto":
        return format
    if not text.strip().strip(BYTE_ORDER_MARK):
        raise SourceError("is empty: there is nothing to tell a page from text by")
    beginning = text[:_SNIFFED].removeprefix(BYTE_ORDER_MARK)
    _refuse_binary(beginning)
    if _PAGE_START.match(beginning):
        return "html"
    if _XML_START.match(beginning):
        raise SourceError("looks like XML, neither a page nor text; give format= if you know better")
    tags = len(_BLOCK_TAG.findall(beginning))
    return "html" if tags >= 3 and tags * 2 > beginning.count("\n") else "text"


def _refuse_binary(text: str) -> None:
    if len(_CONTROL.findall(text[:_SNIFFED])) * 100 > len(text[:_SNIFFED]) or "\x00" in text[:_SNIFFED]:
        raise SourceError("is binary, not a page or text")
