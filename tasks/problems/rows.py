"""Rows of a user's file with their lines, so that every bad one is named and none is skipped."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pav.models.errors import InputError, shown
from pav.tasks.problems.json_rows import json_object
from pav.tasks.problems.parquet_rows import read_parquet
from pav.tasks.store.in_files import decoded, read_file

SUFFIXES = (".jsonl", ".csv", ".parquet")
_MOST_SHOWN = 20
_MOST_CHARACTERS = 1000


@dataclass(frozen=True)
class Row:
    """One row of a file: its 1-based line (row, in Parquet) and fields, or why it has none."""

    line: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


def file_bytes(path: str, *, asked_by: str) -> bytes:
    """Return the bytes of a file of rows; InputError where it is missing or of another kind."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise InputError(f"{asked_by}: expected a file ending in {SUFFIXES}, got {shown(path)}")
    return read_file(path, asked_by=asked_by)


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
            yield Row(line, json_object(text))
        except InputError as error:
            yield Row(line, error=str(error))


def refuse_bad_rows(path: str, errors: Sequence[tuple[int, str]]) -> None:
    """Raise one InputError that lists what is wrong by line, where anything is."""
    if not errors:
        return
    lines = [f"  line {line}: {error[:_MOST_CHARACTERS]}" for line, error in errors[:_MOST_SHOWN]]
    if len(errors) > _MOST_SHOWN:
        lines.append(f"  and {len(errors) - _MOST_SHOWN} more")
    count = f"{len(errors)} bad row{'s' if len(errors) > 1 else ''}"
    head = f"{path}: {count}; nothing was written, correct or remove them:"
    raise InputError("\n".join([head, *lines]))


def _check_columns(path: str, names: Sequence[str], required: Sequence[str]) -> None:
    if missing := [name for name in required if name not in names]:
        raise InputError(
            f"{path}: expected columns {list(required)}, {missing} not in {shown(list(names))}"
        )
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise InputError(f"{path}: line 1: the column {shown(twice[0])} stands twice; remove one")


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
    table = read_parquet(path, data)
    _check_columns(path, table.columns, required)
    known = table.select(name for name in (*required, *optional) if name in table.columns)
    for line, fields in enumerate(known.iter_rows(named=True), start=1):
        yield Row(line, fields)
