"""Settings from a YAML file with `--set a.b=c` on top; every mistake in one message."""

import difflib
import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from pav.flows.yaml_values import read_yaml
from pav.models.errors import InputError, cut_text, shown
from pav.models.settings import RunSettings
from pav.tasks.store.in_files import decoded, read_file

DEFAULT_CONFIG = "quickstart"
_EXPECTED = {
    "tuple_type": "a list such as [1, 4]",
    "model_type": "a block of settings",
    "int_parsing": "an integer",
    "float_parsing": "a number",
    "string_type": "text",
    "string_unicode": "text that can be written in UTF-8",
    "invalid_key": "names of settings",
}
_MOST_LINES = 20


@dataclass
class _Source:
    """Nested values, and the `--set` that decided each key path."""

    origin: str
    values: dict[str, Any] = field(default_factory=dict)
    overrides: dict[tuple[str, ...], str] = field(default_factory=dict)

    def where(self, path: Sequence[str | int]) -> str:
        """Return the `--set` that decided a key path, else the file and the path."""
        here = _by_name(self.values, path)
        for key, option in reversed(self.overrides.items()):
            shared = min(len(key), len(here))
            if key[:shared] == here[:shared]:
                return option
        return f"{self.origin}: {cut_text('.'.join(here)) or 'the file'}"


def config_names() -> list[str]:
    """Return the names of the shipped configs."""
    files = importlib.resources.files("pav.configs").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_settings(config: str, overrides: Sequence[str] = ()) -> RunSettings:
    """Return the settings of a config (a name or a path) with `--set` values on top."""
    origin, data = _find(config)
    source = _Source(origin, _read(origin, data))
    for override in overrides:
        _apply(source, override)
    try:
        return RunSettings.model_validate(source.values)
    except ValidationError as error:
        raise InputError(_explain(source, error)) from None


def _find(config: str) -> tuple[str, bytes]:
    """Return the name and the bytes of a config."""
    if config in config_names():
        file = importlib.resources.files("pav.configs") / f"{config}.yaml"
        return str(file), file.read_bytes()
    path = Path(config)
    if path.exists() and not path.is_dir():
        return config, read_file(config, asked_by="config")
    came = "a folder" if path.is_dir() else "no such file"
    names = ", ".join(config_names())
    raise InputError(
        f"config {shown(config)}: expected a name ({names}) or a YAML file, got {came}"
    )


def _read(origin: str, data: bytes) -> dict[str, Any]:
    text = decoded(origin, data)
    try:
        values = read_yaml(text)
    except InputError as error:
        raise InputError(f"{origin}: expected YAML, got {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{origin}: expected keys and values, got {shown(values)}")
    return values


def _apply(source: _Source, override: str) -> None:
    key, equals, text = override.partition("=")
    path, option = tuple(key.strip().split(".")), f"--set {cut_text(override)}"
    if not equals or not all(path):
        raise InputError(f"{option}: expected KEY=VALUE such as train.steps=200")
    value = _value(path, text, option)
    block: Any = source.values
    for place, name in enumerate(path[:-1], 1):
        inner = _inner(block, name, path[:place])
        if not isinstance(inner, dict | list):
            raise InputError(f"{option}: {shown(name)} is a value, not a block of settings")
        block = inner
    if isinstance(block, list):
        example = f"{key}.{next(name for name in _fields_of(path) if name != 'name')}"
        raise InputError(f"{option}: expected a setting of {shown(path[-1])}, such as {example}=…")
    block[path[-1]] = value
    source.overrides[path] = option


def _inner(block: Any, name: str, path: Sequence[str]) -> Any:
    """Return a block within a block, or the block of a name in a list of named ones; made if new.

    A list that was not given begins as its default.
    """
    if isinstance(block, list):
        found = [each for each in block if isinstance(each, dict) and each.get("name") == name]
        if not found:
            block.append({"name": name})
        return found[0] if found else block[-1]
    field = _field(path)
    is_list = field is not None and _named_block(field.annotation) is not None
    default = [each.model_dump() for each in field.default] if field and is_list else {}
    return block.setdefault(name, default)


def _by_name(values: Any, path: Sequence[str | int]) -> tuple[str, ...]:
    """Return a path with the name of a block where it has the place of one in a list."""
    names: list[str] = []
    for part in path:
        values = values[part] if _has(values, part) else None
        is_named = isinstance(part, int) and isinstance(values, dict) and "name" in values
        names.append(str(values["name"] if is_named else part))
    return tuple(names)


def _has(values: Any, part: str | int) -> bool:
    if isinstance(values, dict):
        return part in values
    return isinstance(values, list) and isinstance(part, int) and part < len(values)


def _value(path: Sequence[str], text: str, option: str) -> Any:
    """Return what was set: a text as it stands where the setting is text, unless it is quoted.

    Patterns and prompts mean something else, or nothing, as YAML: `[Tt]he answer`, `Q: x`.
    """
    # Nothing after the sign is the empty text; YAML would say nothing at all.
    if not text.strip():
        return ""
    is_quoted = text[0] in "'\"" and text[-1] == text[0] and len(text) > 1
    if _is_text(path) and not is_quoted:
        return text
    try:
        return read_yaml(text)
    except InputError as error:
        raise InputError(f"{option}: expected a YAML value, got {error}") from None


def _is_text(path: Sequence[str]) -> bool:
    """Return whether a key path is that of a setting which any text may be given to."""
    field = _field(path)
    return field is not None and field.annotation is str


def _field(path: Sequence[str | int]) -> FieldInfo | None:
    """Return the setting at a key path, through blocks and lists of named blocks; None if none."""
    block = _block(path[:-1])
    return block.model_fields.get(str(path[-1])) if block else None


def _block(path: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the block at a key path, where there is one."""
    block: type[BaseModel] = RunSettings
    parts = iter(path)
    for name in parts:
        field = block.model_fields.get(str(name))
        annotation = field.annotation if field else None
        if (named := _named_block(annotation)) is not None:
            # The name of a block in the list, or its place there.
            next(parts, None)
            annotation = named
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        block = annotation
    return block


def _named_block(annotation: Any) -> type[BaseModel] | None:
    """Return the block that a list of named blocks has."""
    for inner in get_args(annotation) if get_origin(annotation) is tuple else ():
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return None


def _explain(source: _Source, error: ValidationError) -> str:
    """Return a line for each mistake, up to a number of them."""
    details = error.errors(include_url=False)
    lines = [_line(source, detail) for detail in details[:_MOST_LINES]]
    if len(details) > _MOST_LINES:
        lines.append(f"and {len(details) - _MOST_LINES:,} more")
    return "\n".join(lines)


def _line(source: _Source, detail: ErrorDetails) -> str:
    path = [part for part in detail["loc"] if part != "[key]"]
    where = source.where(path)
    if detail["type"] == "extra_forbidden":
        return f"{where}: {_unknown(path)}"
    expected = _EXPECTED.get(detail["type"]) or detail["msg"].replace("Input should be ", "")
    return f"{where}: expected {expected}, got {shown(detail['input'])}"


def _unknown(path: Sequence[str | int]) -> str:
    names = sorted(_fields_of(path[:-1]))
    key = str(path[-1])
    close = difflib.get_close_matches(key, names, n=1)
    known = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(names)}"
    return f"unknown setting {shown(key)}; {known}"


def _fields_of(path: Sequence[str | int]) -> list[str]:
    block = _block(path)
    return list(block.model_fields) if block else []


def as_nested(settings: RunSettings) -> Mapping[str, Any]:
    """Return settings as plain nested values, as they are stored beside results."""
    return settings.model_dump(mode="json")
