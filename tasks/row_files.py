"""Rows of a user's file with their lines, so that every bad one is named and none is skipped."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pav.models.errors import InputError

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
