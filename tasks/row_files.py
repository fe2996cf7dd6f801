"""Rows of a user's file with their lines, so that every bad one is named and none is skipped."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pav.models.errors import InputError

SUFFIXES = (".jsonl", ".csv", ".parquet")
_MOST_SHOWN = 20


@dataclass(frozen=True)
class Row:
    """One row of a file: its 1-based line (row, in Parquet) and fields, or why it has none."""

    line: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def decoded(path: str, data: bytes) -> str:
    """Return a file's bytes as text; InputError names the line that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line} is not UTF-8 text (byte {error.start})") from None


def file_bytes(path: str, *, asked_by: str) -> bytes:
    """Return the bytes of a file of rows; InputError where it is missing or of another kind."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise InputError(f"{asked_by}: expected a file ending in {SUFFIXES}, got {path!r}")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{asked_by}: cannot read {path!r}: {reason}") from None


def file_rows(
    path: str, data: bytes, *, required: Sequence[str], optional: Sequence[str]
) -> Iterator[Row]:
    """Yield the rows of a file's bytes by its suffix; a table must have the required columns.

    Of a Parquet file only the named columns are read.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".csv":
        return _csv_rows(path, data, required)
    if suffix == ".parquet":
        return _parquet_rows(path, data, required, optional)
    return jsonl_rows(path, data)


def jsonl_rows(path: str, data: bytes) -> Iterator[Row]:
    """Yield the rows of a JSONL file, also those that are no JSON objects; blank lines are none."""
    for line, text in enumerate(decoded(path, data).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield Row(line, error=f"not JSON: {error}")
            continue
        if isinstance(fields, dict):
            yield Row(line, fields)
        else:
            yield Row(line, error=f"expected a JSON object, got {text.strip()[:80]!r}")


def refuse_bad_rows(path: str, errors: Sequence[tuple[int, str]]) -> None:
    """Raise one InputError that lists what is wrong by line, where anything is."""
    if not errors:
        return
    lines = [f"  line {line}: {error}" for line, error in errors[:_MOST_SHOWN]]
    if len(errors) > _MOST_SHOWN:
        lines.append(f"  and {len(errors) - _MOST_SHOWN} more")
    count = f"{len(errors)} bad row{'s' if len(errors) > 1 else ''}"
    head = f"{path}: {count}; nothing was written, correct or remove them:"
    raise InputError("\n".join([head, *lines]))


def _check_columns(path: str, names: Sequence[str], required: Sequence[str]) -> None:
    if missing := [name for name in required if name not in names]:
        raise InputError(
            f"{path}: expected columns {list(required)}, {missing} not in {list(names)}"
        )


def _csv_rows(path: str, data: bytes, required: Sequence[str]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(decoded(path, data), newline=""), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if names:
            _check_columns(path, names, required)
        for values in reader:
            if len(values) == len(names):
                yield Row(reader.line_num, dict(zip(names, values, strict=True)))
            elif values:
                yield Row(
                    reader.line_num,
                    error=f"expected {len(names)} fields, got {len(values)}; quote commas",
                )
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num} is not CSV: {error}") from None


def _parquet_rows(
    path: str, data: bytes, required: Sequence[str], optional: Sequence[str]
) -> Iterator[Row]:
    try:
        table = pl.read_parquet(io.BytesIO(data))
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: not a Parquet file: {error}") from None
    _check_columns(path, table.columns, required)
    known = table.select(name for name in (*required, *optional) if name in table.columns)
    for line, fields in enumerate(known.iter_rows(named=True), start=1):
        yield Row(line, fields)
