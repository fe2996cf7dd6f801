"""The columns of every cached data set, declared once and checked when it is written or read."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pav.models.errors import StoreError
from pav.models.plugins import Registry

PolarsType = pl.DataType | type[pl.DataType]
Columns = Mapping[str, PolarsType]
STEPS = pl.List(pl.String)

SCHEMAS: dict[str, Columns] = {
    "problems": {
        "problem_id": pl.String, "domain": pl.String, "question": pl.String, "answer": pl.String,
        "answer_source": pl.String, "split": pl.String, "source": pl.String,
        "canonical_key": pl.String, "unit_id": pl.String,
    },
    "solutions": {
        "solution_id": pl.String, "problem_id": pl.String, "policy_id": pl.String,
        "sample": pl.Int32, "steps": STEPS, "text": pl.String, "num_steps": pl.Int32,
        "verdict": pl.String, "reason": pl.String, "wrong_step": pl.Int32,
        "finish_reason": pl.String, "num_tokens": pl.Int32, "seed": pl.Int32, "unit_id": pl.String,
    },
    # A prefix is cut out of one solution that starts with it, as steps in each row would be stored
    # many times. num_characters: where they end in its text. is_terminal: a finished solution; its
    # value is its verdict and it is never rolled out.
    "prefixes": {
        "prefix_id": pl.String, "problem_id": pl.String, "solution_id": pl.String,
        "num_steps": pl.Int32, "num_characters": pl.Int32, "num_tokens": pl.Int32,
        "is_terminal": pl.Boolean, "verdict": pl.String, "unit_id": pl.String,
    },
    "solution_prefixes": {
        "solution_id": pl.String, "num_steps": pl.Int32, "prefix_id": pl.String,
        "unit_id": pl.String,
    },
    "rollouts": {
        "prefix_id": pl.String, "policy_id": pl.String, "seed": pl.Int32, "block": pl.Int32,
        "rollout": pl.Int32, "steps": STEPS, "verdict": pl.String, "reason": pl.String,
        "wrong_step": pl.Int32, "finish_reason": pl.String, "num_tokens": pl.Int32,
        "unit_id": pl.String,
    },
    "label_blocks": {
        "prefix_id": pl.String, "policy_id": pl.String, "seed": pl.Int32, "block": pl.Int32,
        "num_rollouts": pl.Int32, "num_correct": pl.Int32, "num_truncated": pl.Int32,
        "num_unparsed": pl.Int32, "num_failed": pl.Int32, "generated_tokens": pl.Int64,
        "stopping_rule": pl.String, "unit_id": pl.String,
    },
    # What a budget round draws: so many blocks of a prefix by a policy, from `first_block` on.
    "allocations": {
        "prefix_id": pl.String, "policy_id": pl.String, "split": pl.String, "shard": pl.Int32,
        "first_block": pl.Int32, "num_blocks": pl.Int32, "stopping_rule": pl.String,
        "gain": pl.Float64, "unit_id": pl.String,
    },
    # Data of `pav bench labels`: the outcome of each rollout (0 or 1), and other rollouts of the
    # same prefix as its true value.
    "pools": {
        "prefix_id": pl.String, "problem_id": pl.String, "steps": STEPS, "policy_id": pl.String,
        "outcomes": pl.String, "truth_correct": pl.Int32, "truth_rollouts": pl.Int32,
        "unit_id": pl.String,
    },
    # Imported labels of a solution's first steps; value is NULL where a row says nothing.
    "imported_labels": {
        "solution_id": pl.String, "num_steps": pl.Int32, "prefix_id": pl.String,
        "format": pl.String, "kind": pl.String, "value": pl.Float64, "labeler": pl.String,
        "unit_id": pl.String,
    },
    "search_results": {
        "search_id": pl.String, "policy_id": pl.String,
        "strategy": pl.String, "verifier": pl.String, "prover": pl.String, "alpha": pl.Float64,
        "num_samples": pl.Int32, "split": pl.String, "problem_id": pl.String,
        "pipeline_seed": pl.Int32, "seed": pl.Int32, "final_pick": pl.String,
        "is_correct": pl.Boolean, "is_any_correct": pl.Boolean, "response": pl.String,
        "beams_cut_off": pl.Int32,
        "num_candidates": pl.Int64, "generated_tokens": pl.Int64, "scored_prefixes": pl.Int64,
        "scored_tokens": pl.Int64, "seconds": pl.Float64, "unit_id": pl.String,
    },
    # The outcome of each final pick in a step-by-step search.
    "final_picks": {
        "search_id": pl.String, "pick": pl.String, "is_correct": pl.Boolean, "unit_id": pl.String,
    },
    # One row per step end of a solution that a verifier scored, with the label it is held against.
    "scores": {
        "verifier": pl.String, "solution_id": pl.String, "problem_id": pl.String,
        "split": pl.String, "num_steps": pl.Int32, "prefix_id": pl.String, "score": pl.Float64,
        "num_correct": pl.Int32, "num_rollouts": pl.Int32, "is_terminal": pl.Boolean,
        "pipeline_seed": pl.Int32, "unit_id": pl.String,
    },
    # One row per look at a training: policy or verifier, its losses and rate.
    "training_runs": {
        "name": pl.String, "pipeline_seed": pl.Int32, "step": pl.Int32, "train_loss": pl.Float64,
        "validation_loss": pl.Float64, "learning_rate": pl.Float64, "unit_id": pl.String,
    },
}  # fmt: skip


@dataclass(frozen=True)
class DataSet:
    """A data set of a plug-in, and the table of its name in labels.duckdb.

    Attributes:
        columns: the columns and their types, in order.
        grain: what a row is, such as `One row per prefix and policy.`
        comments: what a column means, where pav's own words for that name do not say it.
        sql: `create table NAME as …` from `read_parquet($NAME, union_by_name = true)`; empty where
            the table is the data set as it is.
    """

    columns: Columns
    grain: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)
    sql: str = ""


DATA_SETS: Registry[DataSet] = Registry(
    "datasets",
    {name: DataSet(columns) for name, columns in SCHEMAS.items()},
    is_entry=lambda entry: isinstance(entry, DataSet),
)


def plugin_data_sets() -> dict[str, DataSet]:
    """Return the data sets that plug-ins add."""
    return {name: data_set for name, data_set in DATA_SETS.items() if name not in SCHEMAS}


def frame(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    """Return rows as the named data set, columns in order and typed."""
    return pl.DataFrame(rows, schema=dict(DATA_SETS[name].columns), strict=False)


def to_parquet(name: str, table: pl.DataFrame) -> bytes:
    """Return the Parquet bytes of a data set; StoreError where a column or type is off."""
    expected = pl.Schema(DATA_SETS[name].columns)
    if table.schema != expected:
        raise StoreError(f"data set {name}: expected columns {expected}, got {table.schema}")
    sink = io.BytesIO()
    table.write_parquet(sink, compression="zstd", statistics=True)
    return sink.getvalue()
