"""The JSON of a manifest: written, and believed only where every field is what it must be."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from pav.models.errors import WorkError
from pav.models.hashing import canonical_json, parse_json
from pav.tasks.store.units import DataFile, InputRef, Manifest, Output, Unit

SCHEMA_VERSION = 1

# A pilot leaves no data: its manifest holds its cost.
_WITHOUT_FILES = ("pilot",)


class OtherVersionError(Exception):
    """A manifest of another schema version, with what to do about it."""


def to_json(manifest: Manifest) -> bytes:
    """Return the content of a manifest's file."""
    record = asdict(manifest)
    record["unit"] |= {"unit_id": manifest.unit.unit_id}
    return (canonical_json(record) + "\n").encode()


def from_json(data: bytes) -> Manifest:
    """Return what `to_json` wrote; ValueError for anything else, OtherVersionError for its kin."""
    try:
        record = parse_json(data)
        _check_version(record)
        manifest = _ManifestRecord.model_validate(record).manifest
        check_files(manifest.unit.stage, manifest.files)
    except (RecursionError, ValueError, WorkError) as error:
        raise ValueError(what_is_wrong(error)) from None
    return manifest


def check_files(stage: str, files: Sequence[Output | DataFile]) -> None:
    """Raise WorkError where a unit that must leave files has none."""
    if not files and stage not in _WITHOUT_FILES:
        raise WorkError(f"stage {stage!r}: expected a unit to make at least one file, got none")


def what_is_wrong(error: Exception) -> str:
    """Return in one line what a record was refused for, the first of its faults."""
    if not isinstance(error, ValidationError):
        return f"{type(error).__name__}: {error}"
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _check_version(record: Any) -> None:
    version = record.get("schema_version") if isinstance(record, dict) else None
    if not isinstance(version, int) or version == SCHEMA_VERSION:
        return
    age = "an older" if version < SCHEMA_VERSION else "a newer"
    raise OtherVersionError(
        f"schema version {version} is from {age} pav, this one reads {SCHEMA_VERSION}; use that "
        "pav, or make the results again in a new place with `pav run --store FOLDER`"
    )


def _moment(text: str) -> str:
    """Check that a text is a moment of which UTC has a date."""
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None
    return text


def _inside(path: str) -> str:
    """Check that a path stays within its folder."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"a path within the store, got {path!r}")
    return path


def _words(text: str) -> str:
    if not text.split():
        raise ValueError("a name, got none")
    return text


Moment = Annotated[str, AfterValidator(_moment)]
_Count = Annotated[int, Field(ge=0, le=1 << 50)]
_Inside = Annotated[str, AfterValidator(_inside)]


class Record(BaseModel):
    """A record of JSON: every key is known, and no value has another type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _InputRecord(Record):
    unit_id: str
    content: str


class _UnitRecord(Record):
    unit_id: str
    stage: str
    name: Annotated[str, AfterValidator(_words)]
    revision: Annotated[int, Field(ge=0, lt=1 << 31)]
    parameters: dict[str, JsonValue]
    inputs: dict[str, _InputRecord]

    @property
    def unit(self) -> Unit:
        """The unit, whose id follows from the rest."""
        inputs = {role: InputRef(ref.unit_id, ref.content) for role, ref in self.inputs.items()}
        return Unit(self.stage, self.name, self.revision, self.parameters, inputs)


class _FileRecord(Record):
    name: _Inside
    path: _Inside
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    num_bytes: _Count
    num_rows: _Count


class _ManifestRecord(Record):
    unit: _UnitRecord
    files: list[_FileRecord]
    cost: dict[str, Annotated[float, Field(allow_inf_nan=False)]]
    versions: dict[str, str]
    schema_version: int
    created_at: Moment

    @property
    def manifest(self) -> Manifest:
        """The manifest; ValueError where it is not the one of its unit."""
        unit = self.unit.unit
        if unit.unit_id != self.unit.unit_id:
            raise ValueError(f"unit_id {unit.unit_id}, got {self.unit.unit_id!r}")
        files = tuple(DataFile(**file.model_dump()) for file in self.files)
        return Manifest(unit, files, self.cost, self.versions, self.schema_version, self.created_at)
