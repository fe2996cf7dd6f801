"""Every setting with its default, its values and what it is, from the models themselves."""

import difflib
import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from pav.flows.settings_file import DEFAULT_CONFIG, as_nested, load_settings
from pav.models.errors import InputError
from pav.models.settings import RunSettings

_TOP = "(top)"
_TYPES = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false"}
_PAGE_HEAD = f"""# Settings

Every setting, as `pav settings` prints them; `pav settings --markdown` wrote this page. A setting comes from a YAML file
(`pav run FILE`, or a name in `configs/`) or from `--set block.name=value` on top of it. `default` holds in a YAML file that
leaves the setting out. Without a file, commands read `{DEFAULT_CONFIG}`, whose values stand beside the defaults where they differ.
"""  # noqa: E501


@dataclass(frozen=True)
class Setting:
    """One setting: its key, the values it takes, its default, that of quickstart, what it is."""

    key: str
    values: str
    default: Any
    quickstart: Any
    description: str

    @property
    def block(self) -> str:
        """The block that it stands in."""
        return self.key.rpartition(".")[0] or _TOP


@dataclass(frozen=True)
class Reference:
    """Some settings, and what their blocks are."""

    settings: Sequence[Setting]
    blocks: Mapping[str, str]

    def as_record(self) -> dict[str, Any]:
        """Return the settings for programs."""
        return {"settings": [asdict(setting) for setting in self.settings]}

    def as_text(self, width: int = 100) -> str:
        """Return the settings for people, a block a paragraph."""
        return "\n\n".join(
            "\n".join([f"{block}: {self.blocks[block]}", *_lines(settings, width)])
            for block, settings in self._by_block()
        )

    def as_markdown(self) -> str:
        """Return the settings as a page, a block a table."""
        return "\n".join([_PAGE_HEAD, *map(self._section, *zip(*self._by_block(), strict=True))])

    def _by_block(self) -> list[tuple[str, list[Setting]]]:
        grouped = groupby(self.settings, key=lambda setting: setting.block)
        return [(block, list(settings)) for block, settings in grouped]

    def _section(self, block: str, settings: Sequence[Setting]) -> str:
        head = f"## {block}\n\n{self.blocks[block]}\n\n"
        rows = [_row(["setting", "default", DEFAULT_CONFIG, "values", "what it is"]),
                _row(["---"] * 5)]  # fmt: skip
        rows += [
            _row([
                f"`{each.key}`", f"`{_text(each.default)}`",
                "" if each.quickstart == each.default else f"`{_text(each.quickstart)}`",
                each.values, each.description,
            ])
            for each in settings
        ]  # fmt: skip
        return head + "\n".join(rows) + "\n"


def reference(prefix: str = "") -> Reference:
    """Return the settings whose key begins with a prefix; InputError where there are none."""
    schema = RunSettings.model_json_schema()
    chosen = as_nested(load_settings(DEFAULT_CONFIG))
    found = list(_settings(schema, schema, "", chosen))
    wanted = [each for each in found if each.key.startswith(prefix)]
    if not wanted:
        keys = [each.key for each in found]
        close = difflib.get_close_matches(prefix, [*keys, *chosen], n=1)
        words = f"did you mean {close[0]!r}?" if close else f"known blocks: {', '.join(chosen)}"
        raise InputError(f"pav settings {prefix}: no setting begins so; {words}")
    return Reference(wanted, dict(_blocks(schema, schema, "")) | {_TOP: "Beside the blocks."})


def _settings(
    schema: Mapping[str, Any], block: Mapping[str, Any], start: str, chosen: Mapping[str, Any]
) -> Iterator[Setting]:
    for name, part in block["properties"].items():
        if "$ref" in part:
            block_of = _definition(schema, part)
            yield from _settings(schema, block_of, f"{start}{name}.", chosen[name])
        else:
            yield Setting(
                f"{start}{name}", _values(part), part["default"], chosen[name],
                " ".join(part.get("description", "").split()),
            )  # fmt: skip


def _definition(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema["$defs"][part["$ref"].rpartition("/")[2]]
    return found


def _blocks(
    schema: Mapping[str, Any], block: Mapping[str, Any], start: str
) -> Iterator[tuple[str, str]]:
    """Yield each block, those of plug-ins within `plugins`, with what it is."""
    for name, part in block["properties"].items():
        if "$ref" in part:
            inner = _definition(schema, part)
            yield f"{start}{name}", str(inner["description"])
            yield from _blocks(schema, inner, f"{start}{name}.")


def _values(part: Mapping[str, Any]) -> str:
    """Return the type, choices and bounds of a setting in words."""
    if "enum" in part:
        return f"one of {', '.join(part['enum'])}"
    if part.get("type") == "array":
        kind = f"list: {_values(part['items'])}"
        return f"{kind}; {part['values']}" if "values" in part else kind
    return ", ".join([_TYPES[part["type"]], *_bounds(part)])


def _bounds(part: Mapping[str, Any]) -> Iterator[str]:
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most",
             "exclusiveMaximum": "below"}  # fmt: skip
    for key, word in words.items():
        if key in part:
            yield f"{word} {part[key]:,}"


def _lines(settings: Sequence[Setting], width: int) -> Iterator[str]:
    for each in settings:
        own = "" if each.quickstart == each.default else (
            f" ({DEFAULT_CONFIG}: {_text(each.quickstart)})"
        )  # fmt: skip
        yield f"  {each.key}={_text(each.default)}{own}"
        for text in (each.values, each.description):
            yield from textwrap.wrap(text, width, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _text(value: Any) -> str:
    """Return a value as YAML and `--set` take it."""
    return json.dumps(value, ensure_ascii=False)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
