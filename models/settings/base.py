"""What every block of settings is, and what a list of values in it may be."""

from dataclasses import dataclass
from typing import Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

# Seeds stand in columns of 32-bit integers with a sign.
LARGEST_SEED = (1 << 31) - 1


class Settings(BaseModel):
    """Base of every block: frozen, numbers are finite, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _check(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what pydantic takes: true for 1, and text that no file can hold."""
        is_switch = cls.model_fields[str(info.field_name)].annotation is bool
        values = value if isinstance(value, list | tuple) else [value]
        if not is_switch and any(isinstance(each, bool) for each in values):
            raise PydanticCustomError("truth_value", "a number or text, no truth value")
        if isinstance(value, str) and not _is_text(value):
            raise PydanticCustomError("text", "text that can be written in UTF-8")
        return value


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


@dataclass(frozen=True)
class _Listed(AfterValidator):
    """The check of a list setting, which says in the schema what the list may hold."""

    words: str = ""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {"values": self.words}


def distinct() -> AfterValidator:
    """Return the check of a list setting: no value stands twice."""

    def check(values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(values)) < len(values):
            raise PydanticCustomError("distinct", "distinct values")
        return values

    return _Listed(check, "distinct values")


def distinct_numbers(low: int, high: int, *, at_least: int = 1) -> AfterValidator:
    """Return the check of a list setting: so many distinct numbers, each within the bounds."""
    least = "at least one of them" if at_least else "or none"
    words = f"distinct numbers from {low} to {high}, {least}"

    def check(values: tuple[Any, ...]) -> tuple[Any, ...]:
        is_distinct = len(set(values)) == len(values) >= at_least
        if not is_distinct or not all(low <= value <= high for value in values):
            raise PydanticCustomError("distinct_numbers", "{words}", {"words": words})
        return values

    return _Listed(check, words)
