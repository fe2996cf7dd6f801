"""Labels against the exact solver: no hopeless prefix may have a right rollout."""

from dataclasses import asdict, dataclass

import polars as pl

from pav.models.domains.kind import Solver
from pav.models.records import Prefix, Problem

# The kind of a prefix that a right answer can follow; other kinds are the solver's words.
SOLVABLE = "solvable"


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
        return sum(row.num_prefixes for row in self.rows if row.kind != SOLVABLE)

    @property
    def num_contradictions(self) -> int:
        """Hopeless prefixes with a right rollout; anything but 0 is a bug of labels or grader."""
        return sum(row.num_with_correct for row in self.rows if row.kind != SOLVABLE)

    def to_record(self) -> dict[str, object]:
        """Return the check as `results.json` has it."""
        return asdict(self) | {
            "num_hopeless": self.num_hopeless,
            "num_contradictions": self.num_contradictions,
        }


def truth_check(
    problems: pl.DataFrame,
    prefixes: pl.DataFrame,
    label_blocks: pl.DataFrame,
    *,
    solver: Solver,
) -> TruthCheck:
    """Return the check over every policy's labels, by the exact solver of the problems' domain."""
    known = {
        row["problem_id"]: Problem(**row)
        for row in problems.select("problem_id", "domain", "question", "answer", "split")
        .unique("problem_id")
        .to_dicts()
    }
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
        solver(known[problem_id], Prefix(problem_id, tuple(steps))) or SOLVABLE
        for problem_id, steps in labelled.select("problem_id", "steps").iter_rows()
    ]
    return TruthCheck(tuple(_rows(labelled.with_columns(kind=pl.Series(kinds, dtype=pl.String)))))


def _rows(labelled: pl.DataFrame) -> list[TruthRow]:
    table = labelled.group_by("kind").agg(
        pl.len().alias("num_prefixes"),
        pl.col("num_rollouts").sum(),
        (pl.col("num_correct") > 0).sum().alias("num_with_correct"),
    )
    return [TruthRow(**row) for row in table.sort("kind", descending=True).to_dicts()]
