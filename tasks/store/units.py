"""Units of work: a content hash for a name, and what a finished one leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from pav.models.hashing import digest


@dataclass(frozen=True)
class InputRef:
    """A finished unit that another one reads; only `content` enters the reader's hash."""

    unit_id: str
    content: str


@dataclass(frozen=True)
class Unit:
    """One piece of work. `name` is for people; the rest decides `unit_id`.

    `parameters` is JSON: the part of the settings that can change the output, shard and seeds.
    `revision` is the stage's integer REVISION, raised when its code changes the output.
    """

    stage: str
    name: str
    revision: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, InputRef] = field(default_factory=dict)

    @cached_property
    def unit_id(self) -> str:
        """Stage and 20 hex digits of the sha256 of what can change the output."""
        contents = {role: ref.content for role, ref in self.inputs.items()}
        key = [self.stage, self.revision, self.parameters, contents]
        return f"{self.stage}-{digest(key, length=20)}"

    @property
    def title(self) -> str:
        """What the unit is called in messages: its stage and its name, the stage once."""
        return self.name if self.name.split()[0] == self.stage else f"{self.stage} {self.name}"


class Work(BaseModel):
    """What a unit does, in types. Its fields are the unit's parameters: what is hashed is run.

    The plan of a stage has a subclass. A field that is None is no parameter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, unit: Unit) -> Self:
        """Return the work of a unit; pydantic's ValidationError where it is of another stage."""
        return cls.model_validate(unit.parameters)

    def parameters(self) -> dict[str, Any]:
        """Return the work as a unit holds it."""
        return self.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True)
class Output:
    """One file that a unit made: a data set's Parquet, or a file of a checkpoint folder.

    `name` is relative and may have folders, e.g. `solutions.parquet` or `base/config.json`.
    """

    name: str
    data: bytes
    num_rows: int = 0


@dataclass(frozen=True)
class Outcome:
    """All that a unit made, with its cost (seconds, tokens: name -> number).

    `made_with` holds settings that are no part of the unit's name, such as the batch size.
    """

    outputs: tuple[Output, ...]
    cost: Mapping[str, float] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DataFile:
    """A published file: name within the unit, path within the store, sha256, size, rows."""

    name: str
    path: str
    sha256: str
    num_bytes: int
    num_rows: int


@dataclass(frozen=True)
class Manifest:
    """The commit point of a unit: what it was and what it made."""

    unit: Unit
    files: tuple[DataFile, ...]
    cost: Mapping[str, float]
    versions: Mapping[str, str]
    schema_version: int
    created_at: str

    @property
    def ref(self) -> InputRef:
        """What a reader of this unit names as its input: the hash of all file hashes."""
        content = digest([[file.name, file.sha256] for file in self.files], length=20)
        return InputRef(self.unit.unit_id, content)
