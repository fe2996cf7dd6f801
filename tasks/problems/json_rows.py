"""One JSON object of a user's file, in which no key stands twice and all text is text."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pav.models.errors import InputError, shown

# Deeper ones would outgrow Python's calls where they are written out again.
MOST_LEVELS = 400


def json_object(text: str) -> dict[str, Any]:
    """Return the object that a line holds; InputError says why it is none."""
    try:
        fields = json.loads(text, object_pairs_hook=_unique)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise InputError(f"expected a JSON object, got {shown(text.strip())}")
    if text.count("[") + text.count("{") > MOST_LEVELS:
        _check_depth(fields)
    if "\\u" in text:
        _check_characters(fields)
    return fields


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise InputError(f"the key {shown(name)} stands twice; remove one")
    return fields


def _check_depth(fields: Mapping[str, Any]) -> None:
    level: list[Any] = [fields]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    if level:
        raise InputError(f"expected a row of at most {MOST_LEVELS} levels, got a deeper one")


def _check_characters(fields: Mapping[str, Any]) -> None:
    """Raise InputError where an escape gives half a character, which no file can hold."""
    for name, value in fields.items():
        try:
            json.dumps([name, value], ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = error.object[error.start]
            raise InputError(
                f"{shown(name)}: expected text, got {half!r} in it, which is half a character (a "
                "lone surrogate); write the whole character"
            ) from None
