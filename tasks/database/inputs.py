"""What a database is built from: files of the units, rows of the small tables, version and time."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pav.tasks.label.registry import stopping_rules
from pav.tasks.store.datasets import DATA_SETS, PolarsType

# The small tables that are given as rows; every other one is read from the units' Parquet.
ROW_SCHEMAS: dict[str, dict[str, PolarsType]] = {
    "policies": {
        "policy_id": pl.String, "name": pl.String, "checkpoint": pl.String,
        "parent_policy_id": pl.String, "round": pl.Int32, "unit_id": pl.String,
        "details": pl.String,
    },
    "verifiers": {
        "verifier_id": pl.String, "name": pl.String, "pipeline_seed": pl.Int32,
        "kind": pl.String, "policy_id": pl.String, "checkpoint": pl.String,
        "unit_id": pl.String, "details": pl.String,
    },
    "units": {
        "unit_id": pl.String, "stage": pl.String, "name": pl.String, "revision": pl.Int32,
        "parameters": pl.String, "inputs": pl.String, "num_files": pl.Int32,
        "num_rows": pl.Int64, "num_bytes": pl.Int64, "versions": pl.String,
        "schema_version": pl.Int32, "created_at": pl.Datetime("us"),
    },
    "data_files": {
        "unit_id": pl.String, "name": pl.String, "path": pl.String, "sha256": pl.String,
        "num_rows": pl.Int64, "num_bytes": pl.Int64,
    },
    "costs": {
        "unit_id": pl.String, "stage": pl.String, "item": pl.String, "amount": pl.Float64,
    },
    "runs": {"run_id": pl.String, "recorded_at": pl.Datetime("us"), "settings": pl.String},
    "run_units": {"run_id": pl.String, "unit_id": pl.String},
    "run_policies": {"run_id": pl.String, "name": pl.String, "policy_id": pl.String},
    "prompts": {"problem_id": pl.String, "unit_id": pl.String, "prompt": pl.String},
    "stopping_rules": {
        "name": pl.String, "rank": pl.Int32, "pattern": pl.String, "meaning": pl.String,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """What a database is built from: Parquet files by data set, and rows of the small tables.

    Raw rollouts are read where they lie: `rollout_files` are paths in the store at `root`.
    """

    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    rows: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    root: str = ""
    rollout_files: Sequence[str] = ()


def build_parameters(sources: Sources, folder: Path, *, version: int) -> dict[str, Any]:
    """Return the values of the schema's `$names`: lists of Parquet files, version and time."""
    # In the order in which they were recorded, whatever the clocks said.
    runs = sources.rows.get("runs")
    last = None if runs is None else runs.get_column("run_id").last()
    files: dict[str, Any] = {"version": version, "last_run": last}
    files["built_at"] = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for name, data_set in DATA_SETS.items():
        # An empty file gives every column its type, and a list with no file is an error.
        columns = pl.DataFrame(schema=dict(data_set.columns))
        empty = _write(folder / f"{name}.parquet", columns)
        files[name] = [empty, *map(str, sources.files.get(name, ()))]
    given = {"stopping_rules": _stopping_rules(), **sources.rows}
    for name, schema in ROW_SCHEMAS.items():
        rows = given.get(name, pl.DataFrame(schema=schema))
        files[name] = [_write(folder / f"{name}.parquet", rows.select(list(schema)))]
    return files


def _stopping_rules() -> pl.DataFrame:
    """Return the rules by which planners want blocks, those of plug-ins too, by rank."""
    rows = [
        (rule.name, rank, rule.pattern, rule.meaning)
        for rank, rule in enumerate(stopping_rules(), 1)
    ]
    return pl.DataFrame(rows, schema=ROW_SCHEMAS["stopping_rules"], orient="row")


def _write(path: Path, table: pl.DataFrame) -> str:
    """Write by way of memory, since Polars hides which OSError a full disk raises."""
    sink = io.BytesIO()
    table.write_parquet(sink)
    path.write_bytes(sink.getvalue())
    return str(path)
