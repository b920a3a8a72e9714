"""The memory itself: a Parquet file that says in how many documents of a site a paragraph stands, looked up site by site.

Its rows are sorted by `site` and `fingerprint`:

| column | type | what it is |
|---|---|---|
| site | string | registered domain, or a name that the user gave |
| fingerprint | uint64 | of a paragraph, see `paragraphs.fingerprints`; 0 stands for all documents of the site |
| documents | uint32 | how many documents of the site hold the paragraph; of fingerprint 0, how many there are |
| example | string | the paragraph's beginning in one of them, where it stands in many |
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from declutter.errors import MissingExtraError, ModelError
from declutter.memory.paragraphs import WHOLE, fingerprints

FORMAT = 1
FORMAT_KEY = b"declutter.memory"  # of the file's metadata
COLUMNS = {"site": "string", "fingerprint": "uint64", "documents": "uint32", "example": "string"}
_GROUPS = 64  # row groups that are kept; of 131,072 rows, as declutter writes them, that is 100 MB


def site_of(url: str | None, strict: bool = True) -> str | None:
    """The site that an address belongs to: its registered domain, by the list of public suffixes that comes with publicsuffixlist.

    What is no address is the name of a site already. Hosts without a registered domain (a number, one word) stand for
    themselves; an address without a host belongs to no site.

    Args:
        url: an address, or the name of a site.
        strict: refuse to go on where publicsuffixlist is not installed; otherwise the host, less "www.", then is the site.

    Raises:
        MissingExtraError: publicsuffixlist is not installed, and `strict`.

    >>> site_of("https://www.news.example.co.uk/2026/ferry.html"), site_of("The Harbour Lantern")
    ('example.co.uk', 'The Harbour Lantern')
    """
    import ipaddress  # late: only who has a memory asks
    from urllib.parse import urlsplit

    url = (url or "").strip()
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        host = ""
    host = host.rstrip(".")
    if not host and (url.startswith("/") or "//" in url):
        return None
    if not host or any(map(str.isspace, host)) or ("//" not in url and "." not in host):
        return url or None
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        host = _ascii(host)
    if (suffixes := _suffixes()) is not None:
        return suffixes.privatesuffix(host) or host
    if strict:
        raise needs("publicsuffixlist")
    return host.removeprefix("www.")


def _ascii(host: str) -> str:
    """A host as it is asked for on the net, so that both ways to write one are the same site."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


@cache
def _suffixes() -> Any:
    try:
        from publicsuffixlist import PublicSuffixList
    except ImportError:
        return None
    return PublicSuffixList()


def needs(package: str) -> MissingExtraError:
    """The error that says how to install what a memory needs."""
    return MissingExtraError(f"a memory of sites needs {package}: pip install 'declutter[archive]'")


class LookUp(Protocol):
    """What a labeller asks of a memory."""

    def look_up(self, texts: Iterable[str], site: str) -> tuple[np.ndarray, int]:
        """How many documents of a site hold each of some paragraphs, and how many documents of it there are; see `Memory`."""


class _Group(NamedTuple):
    """One row group: where each site's rows begin and end, and the rows."""

    sites: dict[str, tuple[int, int]]
    fingerprints: np.ndarray
    documents: np.ndarray


class Memory:
    """How many documents of each site hold the same paragraph, by a file that `learn_memory` or `merge_memories` wrote.

    Only the rows that are asked for are read, and no more than some row groups are kept, however large the file is. It can be
    shared among threads; what is pickled is its path.

    Args:
        path: the file.

    Raises:
        ModelError: it cannot be read, or is no memory.
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, path: Path | str):
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError:
            raise needs("pyarrow") from None
        self.path = Path(path).resolve()
        try:
            with parquet.ParquetFile(self.path) as file:
                self._footer, schema = file.metadata, file.schema_arrow
                written = (file.metadata.metadata or {}).get(FORMAT_KEY, b"").decode("utf-8", "replace")
        except (OSError, pa.ArrowException) as error:
            raise ModelError(f"{path} cannot be read as a memory: {error}") from None
        found = {name: str(schema.field(name).type) for name in schema.names}
        if any(found.get(name) != kind for name, kind in COLUMNS.items()):
            raise ModelError(f"{path} is no memory: its columns are not {', '.join(COLUMNS)}")
        if written != str(FORMAT):
            raise ModelError(
                f"{path} is a memory of format {written or 'unknown'}; this declutter reads format {FORMAT}"
            )
        self._ranges = [self._range(group) for group in range(self._footer.num_row_groups)]
        self._group = lru_cache(maxsize=_GROUPS)(self._read_group)

    def __reduce__(self) -> tuple[Any, ...]:
        return load_memory, (self.path,)

    def look_up(self, texts: Iterable[str], site: str) -> tuple[np.ndarray, int]:
        """How many documents of a site hold each of some paragraphs: int64, and how many documents of it there are at all.

        Args:
            texts: the paragraphs.
            site: its name, as `site_of` gives it.
        """
        wanted = fingerprints(texts)
        found = np.zeros(len(wanted), np.int64)
        whole = 0
        for number, (first, last) in enumerate(self._ranges):
            if not first <= site <= last:
                continue
            group = self._group(number)
            start, stop = group.sites.get(site, (0, 0))
            if start == stop:
                continue
            rows = group.fingerprints[start:stop]
            places = np.minimum(np.searchsorted(rows, wanted), len(rows) - 1)
            documents = group.documents[start:stop]
            found += np.where((rows[places] == wanted) & (wanted != WHOLE), documents[places], 0)
            if rows[0] == WHOLE:
                whole = int(documents[0])
        return found, whole

    def _range(self, group: int) -> tuple[str, str]:
        statistics = self._footer.row_group(group).column(self._footer.schema.names.index("site")).statistics
        if statistics is None or not statistics.has_min_max:
            raise ModelError(f"{self.path} lacks the statistics of its sites; write it with them")
        return statistics.min, statistics.max

    def _read_group(self, number: int) -> _Group:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(self.path, metadata=self._footer, read_dictionary=["site"]) as file:
                table = file.read_row_group(number, columns=["site", "fingerprint", "documents"], use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise ModelError(f"{self.path} cannot be read: {error}") from None
        sites = table.column("site").unify_dictionaries().combine_chunks()
        if isinstance(sites, pa.ChunkedArray):
            sites = sites.chunk(0)
        codes = sites.indices.to_numpy()
        rows, documents = (table.column(name).to_numpy() for name in ("fingerprint", "documents"))
        changes = np.flatnonzero(np.diff(codes)) + 1
        starts = np.concatenate(([0], changes))
        names = sites.dictionary.take(sites.indices.take(pa.array(starts))).to_pylist()
        unsorted = np.flatnonzero(rows[1:] <= rows[:-1]) + 1
        if sorted(set(names)) != names or not np.isin(unsorted, changes).all():
            raise ModelError(f"{self.path} is not sorted by site and fingerprint")
        ends = [*changes.tolist(), len(rows)]
        return _Group(dict(zip(names, zip(starts.tolist(), ends, strict=True), strict=True)), rows, documents)


def load_memory(path: Path | str) -> Memory:
    """Opens a memory; one that was opened before is opened again only where its file has changed.

    Raises:
        ModelError: it is not there, cannot be read, or is no memory.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        state = Path(path).stat()
    except OSError as error:
        raise ModelError(f"no memory at {path}: {error.strerror or error}") from None
    return _load(Path(path).resolve(), state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=8)
def _load(path: Path, *state: int) -> Memory:
    return Memory(path)
