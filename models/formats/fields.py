"""Fields of a row, checked; each error says which field, what was expected and what came."""

from collections.abc import Mapping, Sequence
from typing import Any

from pav.models.errors import InputError, shown


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that must hold text, not blank."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}: expected text, got {shown(value)}")
    return value


def optional_text(fields: Mapping[str, Any], name: str) -> str:
    """Return a field as text, empty where it is not there; whole numbers are text too."""
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"{name}: expected text or a whole number, got {shown(value)}")
    return str(value)


def list_of(fields: Mapping[str, Any], name: str) -> Sequence[Any]:
    """Return a field that must hold a list with something in it."""
    value = fields.get(name)
    if not isinstance(value, list) or not value:
        raise InputError(f"{name}: expected a list that is not empty, got {shown(value)}")
    return value


def texts_of(fields: Mapping[str, Any], name: str) -> list[str]:
    """Return a field that must hold a list of texts."""
    values = list_of(fields, name)
    for number, value in enumerate(values, start=1):
        if not isinstance(value, str):
            raise InputError(f"{name}: expected text as item {number}, got {shown(value)}")
    return [str(value) for value in values]


def object_of(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a field that must hold a JSON object."""
    return as_object(name, fields.get(name))


def as_object(name: str, value: Any) -> Mapping[str, Any]:
    """Return a value that must be a JSON object; `name` says where it stands."""
    if not isinstance(value, dict):
        raise InputError(f"{name}: expected an object, got {shown(value)}")
    return value


def share_of(fields: Mapping[str, Any], name: str) -> float | None:
    """Return a field that must hold a number in [0, 1], or nothing."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"{name}: expected a number from 0 to 1, got {shown(value)}")
    return float(value)


def whole_number(name: str, value: Any) -> int:
    """Return a value that must be a whole number; `name` says where it stands."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name}: expected a whole number, got {shown(value)}")
    return value


def lines_of(texts: Sequence[str], *, end: str, is_whole: bool) -> tuple[str, ...]:
    """Return texts as steps that each end with `end`, but for the last of a whole response."""
    last = len(texts) - 1
    return tuple(
        text if is_whole and number == last else text + end for number, text in enumerate(texts)
    )
