"""Parquet files. Columns that are not the text's are copied, of whatever type; the labels are a column of structures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from declutter.archive.containers.record import Change, Changed, Record
from declutter.archive.files import is_local, open_to_read
from declutter.archive.labels import FIELD
from declutter.errors import SourceError

_ROWS = 256  # read at once, where they are small
_READ = 8 << 20  # bytes, about, read at once where they are not
_GROUP = 32 << 20  # bytes of a row group that is written


def rewrite(source: Path, target: IO[bytes] | None, fields: Mapping[str, str], labelled: bool, change: Change) -> None:
    """Streams through the rows of a table; see `containers.Rewrite`."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(
            source if is_local(source) else open_to_read(source), pre_buffer=False, buffer_size=1 << 20
        )
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"cannot be read as Parquet: {error}") from None
    with file:
        schema = file.schema_arrow
        _check(schema, fields["text"])
        old = schema.get_field_index(FIELD)
        out = schema if old < 0 else schema.remove(old)
        if labelled:
            out = out.append(pa.field(FIELD, _labels_type()))
        writer = parquet.ParquetWriter(target, out, compression=_compression(file)) if target is not None else None
        group: list[Any] = []
        number = 0
        try:
            for batch in _batches(file):
                changed = [change(record) for record in _records(batch, fields, number)]
                number += batch.num_rows
                if writer is None:
                    continue
                group.append(_written(batch, fields["text"], changed, out, labelled))
                if sum(part.nbytes for part in group) >= _GROUP:
                    writer.write_table(pa.Table.from_batches(group))
                    group = []
        except SourceError as error:
            change.fail(number + 1, str(error))
        if writer is not None:
            if group:
                writer.write_table(pa.Table.from_batches(group))
            writer.close()


def _batches(file: Any) -> Iterator[Any]:
    import pyarrow as pa

    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    longest = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0) + 1
    try:
        yield from file.iter_batches(batch_size=max(1, min(_ROWS, _READ // longest)), use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"cannot be read, nor what follows: {error}") from None


def _check(schema: Any, name: str) -> None:
    import pyarrow as pa

    if (count := schema.names.count(name)) != 1:
        raise SourceError(f"has {count or 'no'} columns {name!r}; its columns are {', '.join(schema.names)}")
    found = schema.field(name).type
    if not (pa.types.is_string(found) or pa.types.is_large_string(found)):
        raise SourceError(f"column {name!r} is of type {found}, not text")
    if FIELD in schema.names and schema.field(FIELD).type != _labels_type():
        raise SourceError(f"has a column {FIELD!r} of its own")


def _compression(file: Any) -> str:
    """The compression that the file uses itself."""
    found = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "SNAPPY"
    return "NONE" if found == "UNCOMPRESSED" else str(found)


def _records(batch: Any, fields: Mapping[str, str], before: int) -> Iterator[Record]:
    names = batch.schema.names
    addresses = batch.column(fields["url"]) if names.count(fields["url"]) == 1 else None
    labels = batch.column(FIELD) if names.count(FIELD) == 1 else None
    for row, value in enumerate(batch.column(fields["text"])):
        position = before + row + 1
        address = addresses[row].as_py() if addresses is not None else None
        url = address if isinstance(address, str) else None
        try:
            yield Record(
                position, value.as_py(), url=url, labels=None if labels is None else _plain(labels[row].as_py())
            )
        except UnicodeDecodeError as error:
            yield Record(position, None, url=url, problem=f"is not UTF-8: {error.reason} at byte {error.start}")


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


def _written(batch: Any, name: str, changed: list[Changed], schema: Any, labelled: bool) -> Any:
    """A batch with its new texts and labels; a text that stays is not decoded and encoded again."""
    import pyarrow as pa
    from pyarrow import compute

    column = batch.schema.get_field_index(name)
    old = batch.column(column)
    new = pa.array([None if cleaned is None else cleaned.text for cleaned, _ in changed], type=old.type)
    columns = dict(enumerate(batch.columns)) | {column: compute.if_else(new.is_valid(), new, old)}
    columns.pop(batch.schema.get_field_index(FIELD), None)
    labels = [pa.array([found for _, found in changed], type=_labels_type())] if labelled else []
    return pa.RecordBatch.from_arrays([*columns.values(), *labels], schema=schema)


def _labels_type() -> Any:
    import pyarrow as pa

    span = [("start", pa.int64()), ("end", pa.int64()), ("kind", pa.string()), ("probability", pa.float64())]
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
