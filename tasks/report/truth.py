"""Labels against the exact solver: no hopeless prefix may have a right rollout."""

from dataclasses import asdict, dataclass

import polars as pl

from pav.models.domains.countdown.domain import is_solvable_prefix, state_after
from pav.models.records import Prefix, Problem


@dataclass(frozen=True, slots=True)
class TruthRow:
    """Labelled prefixes of one kind: how many, their rollouts, and those with a right one."""

    kind: str
    num_prefixes: int
    num_rollouts: int
    num_with_correct: int


@dataclass(frozen=True, slots=True)
class TruthCheck:
    """What the solver says of every labelled prefix that is not terminal."""

    rows: tuple[TruthRow, ...]

    @property
    def num_hopeless(self) -> int:
        """Labelled prefixes from which no right answer can be reached."""
        return sum(row.num_prefixes for row in self.rows if row.kind != "solvable")

    @property
    def num_contradictions(self) -> int:
        """Hopeless prefixes with a right rollout; anything but 0 is a bug of labels or grader."""
        return sum(row.num_with_correct for row in self.rows if row.kind != "solvable")

    def to_record(self) -> dict[str, object]:
        """Return the check as `results.json` has it."""
        return asdict(self) | {
            "num_hopeless": self.num_hopeless,
            "num_contradictions": self.num_contradictions,
        }


def truth_check(
    problems: pl.DataFrame, prefixes: pl.DataFrame, label_blocks: pl.DataFrame
) -> TruthCheck | None:
    """Return the check over every policy's labels; None where no problem has an exact solver."""
    known = {
        row["problem_id"]: Problem(**row)
        for row in problems.filter(pl.col("domain") == "countdown")
        .select("problem_id", "domain", "question", "answer", "split")
        .unique("problem_id")
        .to_dicts()
    }
    if not known:
        return None
    counts = label_blocks.group_by("prefix_id").agg(
        pl.col("num_rollouts").sum(), pl.col("num_correct").sum()
    )
    labelled = (
        prefixes.filter(~pl.col("is_terminal") & pl.col("problem_id").is_in(list(known)))
        .unique("prefix_id")
        .join(counts, on="prefix_id")
        .filter(pl.col("num_rollouts") > 0)
    )
    kinds = [
        _kind(known[problem_id], tuple(steps))
        for problem_id, steps in labelled.select("problem_id", "steps").iter_rows()
    ]
    return TruthCheck(tuple(_rows(labelled.with_columns(kind=pl.Series(kinds, dtype=pl.String)))))


def _kind(problem: Problem, steps: tuple[str, ...]) -> str:
    """Return what the solver says of a prefix that can be continued."""
    if is_solvable_prefix(problem, Prefix(problem.problem_id, steps)):
        return "solvable"
    return "illegal step" if state_after(problem, steps) is None else "target out of reach"


def _rows(labelled: pl.DataFrame) -> list[TruthRow]:
    table = labelled.group_by("kind").agg(
        pl.len().alias("num_prefixes"),
        pl.col("num_rollouts").sum(),
        (pl.col("num_correct") > 0).sum().alias("num_with_correct"),
    )
    return [TruthRow(**row) for row in table.sort("kind", descending=True).to_dicts()]
