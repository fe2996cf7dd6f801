"""Settings whose value is one of a list of names; plug-ins add names."""

from dataclasses import dataclass
from typing import Any

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError

from pav.models.plugins import plugin_points


def choice_names(kind: str, own: tuple[str, ...]) -> tuple[str, ...]:
    """Return the package's own names of a kind, then those of plug-ins."""
    return own + tuple(name for name in plugin_points(kind) if name not in own)


@dataclass(frozen=True)
class _Choice(AfterValidator):
    """The check of a name, which lists the names in the schema: a form shows them as choices."""

    kind: str = ""
    own: tuple[str, ...] = ()

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"enum": list(choice_names(self.kind, self.own))}


def choice(kind: str, *own: str) -> AfterValidator:
    """Return the check of a text setting: one of `own`, or an entry point of `pav.<kind>`."""

    def check(value: str) -> str:
        return _checked(value, choice_names(kind, own))

    return _Choice(check, kind, own)


def _checked(value: str, names: tuple[str, ...]) -> str:
    if value not in names:
        *most, last = [repr(name) for name in names]
        words = f"{', '.join(most)} or {last}" if most else last
        raise PydanticCustomError("choice", "{words}", {"words": words})
    return value
