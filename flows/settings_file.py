"""Settings from a YAML file with `--set a.b=c` on top; every mistake in one message."""

import difflib
import importlib.resources
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pav.models.errors import InputError
from pav.models.settings import RunSettings

DEFAULT_CONFIG = "quickstart"
_EXPECTED = {
    "tuple_type": "a list such as [1, 4]",
    "model_type": "a block of settings",
    "int_parsing": "an integer",
    "float_parsing": "a number",
}


@dataclass
class _Source:
    """Nested values, and for each `--set` the key path that it decided."""

    origin: str
    values: dict[str, Any] = field(default_factory=dict)
    overrides: dict[tuple[str, ...], str] = field(default_factory=dict)

    def where(self, path: Sequence[str | int]) -> str:
        """Return the `--set` that decided a key path, else the file and the path."""
        here = tuple(map(str, path))
        for key, option in reversed(self.overrides.items()):
            shared = min(len(key), len(here))
            if key[:shared] == here[:shared]:
                return f"--set {option}"
        return f"{self.origin}: {'.'.join(map(str, path)) or 'the file'}"


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                mark = node.value[index][0].start_mark
                raise yaml.MarkedYAMLError(problem=f"key {key!r} stands twice", problem_mark=mark)
        return super().construct_mapping(node, deep)


def config_names() -> list[str]:
    """Return the names of the shipped configs."""
    files = importlib.resources.files("pav.configs").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_settings(config: str, overrides: Sequence[str] = ()) -> RunSettings:
    """Return the settings of a config (a name or a path) with `--set` values on top."""
    file = _find(config)
    source = _Source(str(file), _read(file))
    for override in overrides:
        _apply(source, override)
    try:
        return RunSettings.model_validate(source.values)
    except ValidationError as error:
        lines = [_explain(source, detail) for detail in error.errors(include_url=False)]
        raise InputError("\n".join(lines)) from None


def _find(config: str) -> Path | Traversable:
    if config in config_names():
        return importlib.resources.files("pav.configs") / f"{config}.yaml"
    path = Path(config)
    if path.is_file():
        return path
    came = "a folder" if path.is_dir() else "no such file"
    names = ", ".join(config_names())
    raise InputError(f"config {config!r}: expected a name ({names}) or a YAML file, got {came}")


def _read(file: Path | Traversable) -> dict[str, Any]:
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: expected a readable YAML file, got {error}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{file}: expected YAML, got {_yaml_problem(error)}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{file}: expected keys and values, got {values!r}")
    return values


def _yaml_problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error)


def _apply(source: _Source, override: str) -> None:
    key, equals, text = override.partition("=")
    path = tuple(key.strip().split("."))
    if not equals or not all(path):
        raise InputError(f"--set {override}: expected KEY=VALUE such as train.steps=200")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = _yaml_problem(error)
        raise InputError(f"--set {override}: expected a YAML value, {problem}") from None
    block = source.values
    for name in path[:-1]:
        inner = block.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InputError(f"--set {override}: {name!r} is a value, not a block of settings")
        block = inner
    block[path[-1]] = "" if value is None else value
    source.overrides[path] = override


def _explain(source: _Source, detail: ErrorDetails) -> str:
    path = [part for part in detail["loc"] if part != "[key]"]
    where = source.where(path)
    if detail["type"] == "extra_forbidden":
        return f"{where}: {_unknown(path)}"
    expected = _EXPECTED.get(detail["type"]) or detail["msg"].replace("Input should be ", "")
    return f"{where}: expected {expected}, got {detail['input']!r}"


def _unknown(path: Sequence[str | int]) -> str:
    names = sorted(_fields_of(path[:-1]))
    key = str(path[-1])
    close = difflib.get_close_matches(key, names, n=1)
    known = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(names)}"
    return f"unknown setting {key!r}; {known}"


def _fields_of(path: Sequence[str | int]) -> Iterator[str]:
    block: type[BaseModel] = RunSettings
    for name in path:
        annotation = block.model_fields[str(name)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            block = annotation
    yield from block.model_fields


def as_nested(settings: RunSettings) -> Mapping[str, Any]:
    """Return settings as plain nested values, as they are stored beside results."""
    return settings.model_dump(mode="json")
