"""Parquet files. Columns that are not the text's are copied, of whatever type; the labels are a column of structures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from declutter.archive.containers.record import HTML, Change, Changed, Part, Record, problem_with
from declutter.archive.files import is_local, open_to_read
from declutter.archive.labels import FIELD
from declutter.errors import SourceError

_ROWS = 256  # read at once, where they are small
_READ = 8 << 20  # bytes, about, read at once where they are not
_GROUP = 32 << 20  # bytes of a row group that is written
_SIZE = b"bytes"


def rewrite(
    source: Path,
    target: IO[bytes] | None,
    fields: Mapping[str, str],
    labelled: bool,
    change: Change,
    part: Part | None = None,
) -> int:
    """Streams through the rows of a table; see `containers.Rewrite`. A part is a range of row groups, written as a stream of
    Arrow's that keeps the batches: joined, they make the same table to the byte."""

    with _opened(source) as file:
        schema = file.schema_arrow
        _check(schema, fields)
        out = _written_schema(schema, fields, labelled)
        rows: _Table | _Stream | None = None
        if target is not None:
            rows = _Table(target, out, _compression(file)) if part is None else _Stream(target, out)
        size, end = _batch_size(file), 0  # row after the group
        for group in range(*part or (0, file.num_row_groups)):
            number, end = end, end + file.metadata.row_group(group).num_rows
            try:
                for batch in _batches(file, group, size):
                    changed = change(list(_records(batch, fields, number)))
                    number += batch.num_rows
                    if rows is not None:
                        written = _written(batch, fields["text"], changed, out)
                        rows.add(written, written.nbytes)
            except SourceError as error:
                change.fail(number + 1, str(error))
        if rows is not None:
            rows.close()
    return end


def split(source: Path, size: int) -> list[Part]:
    """Ranges of row groups of about so many bytes as they lie in the file."""
    with _opened(source) as file:
        groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    parts, first, held = [], 0, 0
    for number, group in enumerate(groups, 1):
        held += sum(group.column(i).total_compressed_size for i in range(group.num_columns))
        if held >= size or number == len(groups):
            parts.append((first, number))
            first, held = number, 0
    return parts


def join(source: Path, parts: Sequence[Path], target: IO[bytes]) -> None:
    """One table of the batches of all parts."""
    import pyarrow as pa

    with _opened(source) as file:
        compression = _compression(file)
    table = None
    for part in parts:
        with open_to_read(part) as stream, pa.ipc.open_stream(stream) as reader:
            table = table or _Table(target, reader.schema, compression)
            for batch, about in reader.iter_batches_with_custom_metadata():
                table.add(batch, int(about[_SIZE]))
    if table is not None:
        table.close()


class _Table:
    """Batches of rows on their way to a Parquet file, in row groups of about `_GROUP` bytes."""

    def __init__(self, target: IO[bytes], schema: Any, compression: str):
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(target, schema, compression=compression)
        self._group: list[Any] = []
        self._size = 0

    def add(self, batch: Any, size: int) -> None:
        """Puts a batch of so many bytes into the group, and writes the group where it is full."""
        self._group.append(batch)
        self._size += size
        if self._size >= _GROUP:
            self._flush()

    def close(self) -> None:
        """Writes what is left."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._group:
            self._writer.write_table(pa.Table.from_batches(self._group))
            self._group, self._size = [], 0


class _Stream:
    """Batches of rows on their way to the table, with their sizes: read again, a batch may take fewer bytes."""

    def __init__(self, target: IO[bytes], schema: Any):
        import pyarrow as pa

        self._writer = pa.ipc.new_stream(target, schema)

    def add(self, batch: Any, size: int) -> None:
        """Writes a batch."""
        self._writer.write_batch(batch, {_SIZE: str(size)})

    def close(self) -> None:
        """Ends the stream."""
        self._writer.close()


def _opened(source: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(
            source if is_local(source) else open_to_read(source), pre_buffer=False, buffer_size=1 << 20
        )
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"cannot be read as Parquet: {error}") from None


def _batch_size(file: Any) -> int:
    """Rows to read at once."""
    groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    longest = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0) + 1
    return max(1, min(_ROWS, _READ // longest))


def _batches(file: Any, group: int, size: int) -> Iterator[Any]:
    import pyarrow as pa

    try:
        yield from file.iter_batches(size, row_groups=[group], use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"cannot be read, nor what follows in its row group: {error}") from None


def _check(schema: Any, fields: Mapping[str, str]) -> None:
    import pyarrow as pa

    name = fields[HTML if HTML in fields else "text"]
    if (count := schema.names.count(name)) > 1:
        raise SourceError(f"has {count} columns {name!r}")
    if problem := problem_with(fields, bool(count), fields["text"] in schema.names, FIELD in schema.names):
        raise SourceError(f"{problem}; its columns are {', '.join(schema.names)}")
    found = schema.field(name).type
    readable = [pa.string(), pa.large_string(), *([pa.binary(), pa.large_binary()] if HTML in fields else [])]
    if found not in readable:
        raise SourceError(f"column {name!r} is of type {found}, not text")
    if FIELD in schema.names and schema.field(FIELD).type != _labels_type():
        raise SourceError(f"has a column {FIELD!r} of its own")


def _written_schema(schema: Any, fields: Mapping[str, str], labelled: bool) -> Any:
    """The columns that are written: those that were there, the labels, and before them the text of a page."""
    import pyarrow as pa

    ours = [pa.field(fields["text"], pa.string())] if HTML in fields else []
    ours.append(pa.field(FIELD, _labels_type()))
    for field in ours:
        if (place := schema.get_field_index(field.name)) >= 0:
            schema = schema.remove(place)
    return pa.schema([*schema, *(ours if labelled else [])], schema.metadata)


def _compression(file: Any) -> str:
    """The compression that the file uses itself."""
    found = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "SNAPPY"
    return "NONE" if found == "UNCOMPRESSED" else str(found)


def _records(batch: Any, fields: Mapping[str, str], before: int) -> Iterator[Record]:
    urls, sites = (_strings(batch, fields.get(name)) for name in ("url", "site"))
    labels = batch.column(FIELD) if batch.schema.names.count(FIELD) == 1 else None
    paged = HTML in fields
    for row, value in enumerate(batch.column(fields[HTML if paged else "text"])):
        record = Record(before + row + 1, None, "html" if paged else "text", urls(row), sites(row))
        try:
            found = None if labels is None else _plain(labels[row].as_py())
            yield record._replace(source=value.as_py(), labels=found)
        except UnicodeDecodeError as error:
            yield record._replace(problem=f"is not UTF-8: {error.reason} at byte {error.start}")


def _strings(batch: Any, name: str | None) -> Callable[[int], str | None]:
    """What a column holds in each row, where it is there and that is a string."""
    if name is None or batch.schema.names.count(name) != 1:
        return lambda row: None
    column = batch.column(name)

    def value(row: int) -> str | None:
        found = column[row].as_py()
        return found if isinstance(found, str) else None

    return value


def _plain(labels: Any) -> Any:
    """Labels as JSON has them: what is not there is left out, counts by name."""
    if not isinstance(labels, dict):
        return labels
    found = {name: value for name, value in labels.items() if value is not None}
    if isinstance(found.get("policy"), dict):
        found["policy"] = {name: value for name, value in found["policy"].items() if value is not None}
    if isinstance(found.get("counts"), list):
        found["counts"] = dict(found["counts"])
    return found


def _written(batch: Any, name: str, changed: list[Changed], schema: Any) -> Any:
    """A batch with its new texts and labels, where there is a column for them; a text that stays is not decoded and encoded again."""
    import pyarrow as pa
    from pyarrow import compute

    place = batch.schema.get_field_index(name)
    old = batch.column(place) if place >= 0 else None
    texts = pa.array(
        [None if cleaned is None else cleaned.text for cleaned, _ in changed], pa.string() if old is None else old.type
    )
    ours = {name: texts if old is None else compute.if_else(texts.is_valid(), texts, old), FIELD: None}
    if FIELD in schema.names:
        ours[FIELD] = pa.array([found for _, found in changed], type=_labels_type())
    others = (column for called, column in zip(batch.schema.names, batch.columns, strict=True) if called not in ours)
    columns = [ours[called] if called in ours else next(others) for called in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _labels_type() -> Any:
    import pyarrow as pa

    span = [("start", pa.int64()), ("end", pa.int64()), ("kind", pa.string())]
    span += [("probability", pa.float64()), ("content", pa.float64())]
    policy = [("keep", pa.list_(pa.string())), ("preset", pa.string()), ("threshold", pa.float64())]
    policy += [("budget", pa.float64())] + [(n, pa.list_(pa.string())) for n in ("keep_phrases", "drop_phrases")]
    return pa.struct(
        [
            ("removed", pa.list_(pa.struct([*span, ("text", pa.string())]))),
            ("kept", pa.list_(pa.struct(span))),
            ("gaps", pa.list_(pa.struct([("start", pa.int64()), ("text", pa.string())]))),
            ("counts", pa.map_(pa.string(), pa.int64())),
            *((name, pa.list_(pa.string())) for name in ("flags", "notes")),
            *((name, pa.string()) for name in ("unit", "model", "error")),
            ("policy", pa.struct(policy)),
        ]
    )
