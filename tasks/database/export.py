"""Labelled solutions of a store as files of public formats, and as one documented table."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pav import sql
from pav.models.errors import InputError
from pav.models.formats import math_shepherd, trl
from pav.models.formats.export import LOST, StepSigns, imported_signs, own_signs
from pav.models.splits import SPLITS
from pav.tasks.database.database import run_query
from pav.tasks.database.queries import database_path
from pav.tasks.store.out_files import write_out, write_rows
from pav.tasks.store.store import Store

EXPORT_FORMATS = ("math-shepherd", "trl", "parquet")
Row = Mapping[str, Any]
_DEFAULT_ROLE = "base"


@dataclass(frozen=True)
class Exported:
    """What was written, for people, and what the format lost or left out."""

    summary: str
    notes: Sequence[str]


@dataclass(frozen=True)
class _Labeller:
    """Whose labels are written: a policy's own, or imported ones of its solutions (or of all)."""

    policy_id: str
    is_own: bool


def export_file(store: Store, form: str, out: str, *, policy: str, split: str) -> Exported:
    """Write the solutions with labels of a policy, or imported ones, of one split or of all."""
    if form not in EXPORT_FORMATS:
        raise InputError(f"FORMAT: expected one of {', '.join(EXPORT_FORMATS)}, got {form!r}")
    if split not in (*SPLITS, ""):
        raise InputError(f"--split: expected one of {SPLITS}, got {split!r}")
    labeller = _labeller(store, policy)
    table = _solutions(store, labeller, split)
    by = labeller.policy_id or "any policy"
    source = f"labels by {by}" if labeller.is_own else f"imported labels, solutions of {by}"
    notes: Sequence[str] = ()
    if form == "parquet":
        num_rows = _write_table(out, table)
    else:
        num_rows, notes = _write_signs(out, table, form, is_own=labeller.is_own)
    return Exported(f"{out}: {num_rows:,} rows ({form}; {source})", notes)


def _labeller(store: Store, policy: str) -> _Labeller:
    """Return the policy of a role, name or id; without one the base, or all imported labels."""
    known = run_query(database_path(store), sql.read("exports/labellers")).to_dicts()
    if not policy and not any(row["num_labels"] for row in known):
        return _Labeller("", is_own=False)
    wanted = policy or _DEFAULT_ROLE
    ways: tuple[Callable[[Row], bool], ...] = (
        lambda row: wanted in row["roles"],
        lambda row: bool(wanted == row["policy_id"]),
        lambda row: bool(wanted == row["name"]),
    )
    for is_meant in ways:
        if found := [row for row in known if is_meant(row)]:
            if len(found) > 1:
                ids = ", ".join(row["policy_id"] for row in found)
                raise InputError(f"--policy: {wanted!r} names several policies, give one of {ids}")
            return _Labeller(found[0]["policy_id"], is_own=found[0]["num_labels"] > 0)
    names = sorted({name for row in known for name in (row["policy_id"], *row["roles"])})
    raise InputError(f"--policy: expected one of {', '.join(names) or 'none'}, got {wanted!r}")


def _solutions(store: Store, labeller: _Labeller, split: str) -> pl.DataFrame:
    parameters = {
        "policy": labeller.policy_id if labeller.is_own else None,
        "solutions_of": "" if labeller.is_own else labeller.policy_id,
        "split": split,
    }
    table = run_query(database_path(store), sql.read("exports/solutions"), parameters=parameters)
    if table.is_empty():
        where = f" in split {split}" if split else ""
        raise InputError(f"{store.root}: no solutions to export{where}; `pav label` makes them")
    return table


def _write_table(out: str, table: pl.DataFrame) -> int:
    sink = io.BytesIO()
    table.write_parquet(sink, compression="zstd")
    write_out(out, sink.getvalue())
    return table.height


def _write_signs(
    out: str, table: pl.DataFrame, form: str, *, is_own: bool
) -> tuple[int, Sequence[str]]:
    """Write a row for each solution and source of its labels; return their number, and notes."""
    write = _math_shepherd if form == "math-shepherd" else _trl
    lines: list[str] = []
    counts: Counter[str] = Counter()
    for row in table.iter_rows(named=True):
        for signs in _signs(row, is_own=is_own):
            counts[signs.kind] += 1
            counts["unasked"] += signs.kind == "counts" and row["prompt"] is None
            written = write(row, signs)
            if written is None:
                counts["left out"] += 1
            else:
                lines.append(json.dumps(written, ensure_ascii=False))
                counts["cut"] += form == "trl" and signs.num_known < len(signs.signs)
    if not lines:
        raise InputError(f"--out {out}: no solution with the labels that {form} needs")
    write_rows(out, lines)
    return len(lines), tuple(_notes(form, counts))


def _signs(row: Row, *, is_own: bool) -> list[StepSigns]:
    if is_own:
        return [own_signs(row["step_labels"])]
    return imported_signs(row["imported_labels"], num_steps=len(row["steps"]))


def _notes(form: str, counts: Mapping[str, int]) -> Iterator[str]:
    yield from (f"{form}: {text}" for kind, text in LOST.items() if counts.get(kind))
    if counts.get("left out"):
        need = "a label on every step" if form == "math-shepherd" else "a label on the first step"
        yield f"{form}: {counts['left out']:,} solutions left out, which lack {need}"
    if counts.get("cut"):
        yield f"{form}: {counts['cut']:,} solutions end where their labels do"
    if counts.get("unasked"):
        yield (
            f"{form}: {counts['unasked']:,} solutions have the bare question for a prompt, since "
            "this version does not know the settings that their problems were made with"
        )


def _asked(row: Row, signs: StepSigns, question: str) -> str:
    """Return what stands before the first step: for our own labels, what the policy saw."""
    is_own = signs.kind == "counts" and row["prompt"] is not None
    return str(row["prompt"]) if is_own else question


def _math_shepherd(row: Row, signs: StepSigns) -> dict[str, str] | None:
    if not signs.signs or signs.num_known < len(signs.signs):
        return None
    is_right = [bool(sign) for sign in signs.signs]
    prompt = _asked(row, signs, math_shepherd.asked(row["question"]))
    return math_shepherd.written(prompt, row["steps"], is_right=is_right, task=row["source"])


def _trl(row: Row, signs: StepSigns) -> dict[str, Any] | None:
    known = signs.num_known
    if not known:
        return None
    is_right = [bool(sign) for sign in signs.signs[:known]]
    prompt = _asked(row, signs, row["question"])
    return trl.written(prompt, row["steps"][:known], is_right=is_right)
