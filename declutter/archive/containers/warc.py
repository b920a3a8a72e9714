"""WARC and WET files: pages out of responses, texts out of conversion records, both written as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from declutter.archive.containers.record import RECORD_LIMIT, Change, Fault, Part, Record, changed_together
from declutter.archive.files import Reading
from declutter.archive.labels import FIELD
from declutter.errors import SourceError

_PAGES = ("text/html", "application/xhtml+xml")
_ANSWERS = range(200, 300)  # status codes; what is moved, forbidden or gone is no document


def rewrite(
    source: Path,
    target: IO[bytes] | None,
    fields: Mapping[str, str],
    labelled: bool,
    change: Change,
    part: Part | None = None,
) -> int:
    """Streams through the records that hold a document; see `containers.Rewrite`. Other records are passed over, and
    responses that are no page, say that there is none, or are empty.

    There are no parts: where records begin is known only to who reads all before them, and crawls come in files of a GB anyway.
    """
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    number = 0

    def documents(file: Reading) -> Iterator[tuple[Record | Fault | None, str | None]]:
        """Every document, and its date."""
        nonlocal number
        # fastwarc's own decompression takes a gzip file that is cut off for one that ends
        archive = iter(ArchiveIterator(file, parse_http=False, stream_detect=False))
        while True:
            number += 1
            try:
                record = next(archive, None)
                if record is None:
                    if file.last and not file.last.endswith((b"\n\n", b"\r\n\r\n")):
                        yield Fault(number, "is cut off"), None  # in its header, which fastwarc takes for the end
                    return
                if record.record_type not in (WarcRecordType.response, WarcRecordType.conversion):
                    continue
                found = _document(record, number, record.record_type is WarcRecordType.response)
            except (OSError, SourceError) as error:
                yield Fault(number, f"cannot be read, nor what follows: {error}"), None
                return
            if found is not None:
                yield found, record.headers.get("WARC-Date")

    with Reading(source) as file:
        for (found, date), changed in changed_together(
            ((record, (record, date)) for record, date in documents(file)), change
        ):
            if target is None or changed is None or not isinstance(found, Record):
                continue
            cleaned, labels = changed
            values = {
                "url": found.url,
                "date": date,
                "title": None if cleaned is None else cleaned.title,
                "text": None if cleaned is None else cleaned.text,
            }
            written = {fields[name]: value for name, value in values.items()} | ({FIELD: labels} if labelled else {})
            target.write((json.dumps(written, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
    return number


def _document(record: Any, number: int, page: bool) -> Record | None:
    """The document that a record holds, None where it holds none.

    Raises:
        OSError: the file is damaged here.
    """
    from fastwarc.warc import WarcRecord

    url = record.headers.get("WARC-Target-URI")
    if record.content_length > RECORD_LIMIT:
        return Record(number, None, url=url, problem=f"is longer than {RECORD_LIMIT:,} bytes")
    content = record.reader.read(record.content_length) if record.content_length else b""
    if len(content) < record.content_length:
        raise OSError(f"it ends after {len(content):,} of {record.content_length:,} bytes")
    if not page:
        return Record(number, content, "text", url)
    response = WarcRecord()  # apart from the archive's own, which a broken response would leave unable to go on
    response.set_bytes_content(content)
    response.is_http = True
    try:
        response.parse_http(auto_decode="all")
        media, status = (response.http_content_type or "").lower(), response.http_headers.status_code
        if media not in _PAGES or status not in _ANSWERS:
            return None
        body = response.reader.read(RECORD_LIMIT + 1)
    except OSError as error:
        return Record(number, None, url=url, problem=f"its response cannot be read: {error}")
    if not body.strip():
        return None
    if len(body) > RECORD_LIMIT:
        return Record(number, None, url=url, problem=f"is longer than {RECORD_LIMIT:,} bytes")
    return Record(number, _decoded(body, response.http_charset), "html", url)


def _decoded(body: bytes, charset: str | None) -> str | bytes:
    """A page in the encoding that its header names, unless it is UTF-8 whatever the header says."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return body.decode((charset or "utf-8").strip("\"' "))
        except (UnicodeDecodeError, LookupError):
            pass
    return body
