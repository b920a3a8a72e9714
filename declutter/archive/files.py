"""Files, wherever they lie: read whole through their compression, and written whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast
from urllib.request import url2pathname

from declutter.errors import MissingExtraError, SourceError, UsageError

PART = ".part"  # ends the name of what is not finished
_BLOCK = 1 << 20
_SYNCED = 16  # files that are put on the disk at the same time
_FETCHED = 8 << 20  # bytes that are asked of an object store at once


def needs(package: str, what: str, extra: str = "archive") -> None:
    """Refuses to go on without a package of an extra.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:  # of the package that it would be in
        found = None
    if found is None:
        raise MissingExtraError(f"{what} needs {package}: pip install 'declutter[{extra}]'")


def place(name: Path | str) -> Path:
    """Where a file or a folder lies: a path of this machine, or for a URL (s3://, gs://, memory:// ...) fsspec's way to it.

    What comes of a URL is a `UPath`, which does all that is asked of a `pathlib.Path` here and imports nothing for local ones.

    Raises:
        MissingExtraError: the package for URLs is not installed.
        UsageError: it cannot be reached: no such kind of URL, no package for it, no permission ...
    """
    if isinstance(name, Path) or "://" not in str(name):
        return Path(name)
    if str(name).startswith("file://"):
        return Path(url2pathname(str(name).removeprefix("file://")))  # written as safely as any local file
    needs("upath", f"to reach {name}", "cloud")
    from upath import UPath

    try:
        found = cast(Path, UPath(name))
        _filesystem(found).invalidate_cache()  # what an earlier run of this process saw
        found.exists()
    except Exception as error:  # every object store's package has errors of its own
        raise UsageError(f"{name} cannot be reached: {error}") from None
    return found


def _filesystem(path: Path) -> Any:
    """What fsspec calls a filesystem."""
    return cast(Any, path).fs


def is_local(path: Path) -> bool:
    """Whether a place is a path of this machine."""
    return isinstance(path, Path)


def open_to_read(path: Path) -> IO[bytes]:
    """A file's bytes as they lie there.

    Raises:
        SourceError: it cannot be opened.
    """
    try:
        return path.open("rb") if is_local(path) else cast(Any, path).open("rb", block_size=_FETCHED)
    except Exception as error:  # an object store's package has errors of its own
        raise SourceError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None


class Compression(NamedTuple):
    """One way to compress a file.

    Attributes:
        suffix: how names end.
        magic: how contents begin.
        package: what has to be installed, None for the standard library.
        read, write: wrap a binary file.
    """

    suffix: str
    magic: bytes
    package: str | None
    read: Callable[[IO[bytes]], Any]
    write: Callable[[IO[bytes]], Any]


def _zstd(file: IO[bytes], mode: str) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdFile(file, mode)  # type: ignore[call-overload]


COMPRESSIONS = (
    Compression(
        ".gz",
        b"\x1f\x8b",
        None,
        lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
        lambda file: gzip.GzipFile(
            "", "wb", 6, file, mtime=0
        ),  # without name and time, so that the same run gives the same bytes
    ),
    Compression(
        ".zst",
        b"\x28\xb5\x2f\xfd",
        "backports.zstd" if sys.version_info < (3, 14) else None,
        lambda file: _zstd(file, "rb"),
        lambda file: _zstd(file, "wb"),
    ),
)
"""What is seen through. The contents decide, not the name."""


def bare_name(name: str) -> tuple[str, str]:
    """A file's name without the suffix of its compression, and that suffix or ""."""
    suffix = next((row.suffix for row in COMPRESSIONS if name.lower().endswith(row.suffix)), "")
    return name[: len(name) - len(suffix)], name[len(name) - len(suffix) :]


def compression_of(path: Path) -> Compression | None:
    """How a file is compressed, None where it is not.

    Raises:
        SourceError: it cannot be read.
    """
    with open_to_read(path) as file:
        return _compression(file)


def _compression(file: IO[bytes]) -> Compression | None:
    try:
        beginning = file.read(4)
    except Exception as error:
        raise SourceError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return next((row for row in COMPRESSIONS if beginning.startswith(row.magic)), None)


class Reading:
    """A file as a stream of bytes, through its compression; every failure to read is a `SourceError`.

    Args:
        path: where it lies.
        part: where to begin and to end, in bytes, in a file that is not compressed.
    """

    def __init__(self, path: Path, part: tuple[int, int] | None = None):
        self._file = open_to_read(path)
        self.compression = _compression(self._file) if part is None else None
        self._file.seek(part[0] if part else 0)
        self._left = part[1] - part[0] if part else None  # bytes of the part
        self._stream: Any = self._file if self.compression is None else self.compression.read(self._file)
        self._given = 0
        self.last = b""  # up to four bytes that came last

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, size: int = _BLOCK) -> bytes:
        """Up to `size` bytes, as many as are there before damage begins; none at the end."""
        try:
            if self.compression is None:
                found: bytes = self._stream.read(size if self._left is None else min(size, self._left))
            else:
                found = self._stream.read1(size)
        except EOFError:
            raise SourceError("is cut off: its compressed data end too early") from None
        except Exception as error:  # gzip, zlib and zstd raise types of their own on damaged data
            raise SourceError(f"cannot be read to its end: {error}") from None
        self._given += len(found)
        if self._left is not None:
            self._left -= len(found)
        self.last = (self.last + found)[-4:] if len(found) < 4 else found[-4:]
        return found

    def tell(self) -> int:
        """Bytes read so far."""
        return self._given

    def seek(self, offset: int, whence: int = 0) -> int:
        """Not what a stream can do; fastwarc wants it to be there."""
        raise io.UnsupportedOperation("seek")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def whole(self, limit: int) -> bytes:
        """All bytes.

        Raises:
            SourceError: there are more than `limit`.
        """
        found = bytearray()
        while block := self.read():
            found += block
            if len(found) > limit:
                raise SourceError(f"is longer than {limit:,} bytes")
        return bytes(found)

    def lines(self, limit: int) -> Iterator[bytes | None]:
        """Every line with its end; None for one of more than `limit` bytes, which is passed over."""
        rest = b""
        over = False  # whether the line being read is too long already
        while block := self.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield None if over or len(line) > limit else line + b"\n"
                over = False
            if len(rest) > limit:
                over, rest = True, b""
        if rest or over:
            yield None if over else rest


def fingerprint(paths: Iterable[Path], key: str) -> str:
    """A checksum over a key and the contents of some files; a file that cannot be read has another than any other."""
    digest = hashlib.blake2b(key.encode(), digest_size=16)
    for path in paths:
        own = hashlib.blake2b(digest_size=16)
        try:
            with open_to_read(path) as file:
                while block := file.read(_BLOCK):
                    own.update(block)
            digest.update(own.digest())
        except (SourceError, OSError) as error:
            digest.update(repr(error).encode())
    return digest.hexdigest()


def stamp(path: Path) -> str:
    """A file's size and the time of its last change; a file that is not there has neither."""
    try:
        found = path.stat()
    except OSError as error:
        return repr(error)
    return f"{found.st_size} {found.st_mtime}"


class Replacements:
    """Files to write that take their places together, after all of them are complete and on the disk.

    Hundreds of small files are put on the disk in a fraction of the time that they would take one after the other. If anything fails
    while they are written, none takes its place; a failure while they are put there leaves those that were first.

    What goes to an object store is written on this machine first and sent when it is complete, each file by itself: the store shows
    a file when it has all of it.
    """

    def __init__(self) -> None:
        self._written: list[tuple[Path, Path]] = []  # where a file is and where it goes

    def __enter__(self) -> Replacements:
        return self

    @contextmanager
    def file(self, path: Path, compression: Compression | None = None) -> Iterator[IO[bytes]]:
        """One of the files; what fails while it is written leaves the others as they are."""
        local = is_local(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = (path.parent if local else Path(tempfile.gettempdir())) / f".{os.urandom(8).hex()}{PART}"
        try:
            with beside.open("xb", buffering=_BLOCK) as file:
                if compression is None:
                    yield file
                else:
                    with compression.write(file) as stream:
                        yield stream
            if local:
                self._written.append((beside, path))
            else:
                _filesystem(path).put_file(str(beside), cast(Any, path).path)
                beside.unlink()
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with ExitStack() as leftovers:
            for beside, _place in self._written:
                leftovers.callback(beside.unlink, missing_ok=True)
            if kind is None:
                self._replace()

    def _replace(self) -> None:
        with ThreadPoolExecutor(_SYNCED) as pool:  # the disk puts down what waits at the same time in one go
            list(pool.map(_sync_file, (beside for beside, _ in self._written)))
        for beside, path in self._written:
            beside.replace(path)
        for folder in dict.fromkeys(path.parent for _, path in self._written):
            _sync_folder(folder)


@contextmanager
def replacing(path: Path, compression: Compression | None = None) -> Iterator[IO[bytes]]:
    """A file to write that takes its place when it is complete and on the disk; if anything fails, what was there stays."""
    with Replacements() as alone, alone.file(path, compression) as file:
        yield file


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Puts a rename on the disk; Windows does so by itself and cannot open folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_tree(folder: Path) -> None:
    """Removes a folder with all that is in it, if it is there."""
    if is_local(folder):
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        _filesystem(folder).rm(cast(Any, folder).path, recursive=True)


def names_in(folder: Path) -> list[str]:
    """The names of what lies in a folder; none where there is no folder, as object stores say of an empty one."""
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove_unfinished(folder: Path) -> None:
    """Removes what runs left behind that were killed; object stores never show it."""
    if not is_local(folder):
        return
    for path in folder.rglob(f".*{PART}"):
        path.unlink(missing_ok=True)
