"""The published samples and labels that a verifier's examples are made of."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl


@dataclass(frozen=True)
class Published:
    """The tables that a training unit reads, of all its inputs.

    `solutions`: solution_id, problem_id, policy_id, steps, verdict, finish_reason. `prefixes`:
    prefix_id, problem_id, solution_id, num_steps, is_terminal, steps. `solution_prefixes` joins
    the two by num_steps. `rollouts`: prefix_id, policy_id, steps, verdict, finish_reason.
    """

    solutions: pl.DataFrame
    prefixes: pl.DataFrame
    solution_prefixes: pl.DataFrame
    rollouts: pl.DataFrame

    def of_problems(self, problem_ids: Iterable[str]) -> "Published":
        """Return the rows of some problems; none of another problem can be read of them."""
        of_ids = pl.col("problem_id").is_in(sorted(problem_ids))
        solutions, prefixes = self.solutions.filter(of_ids), self.prefixes.filter(of_ids)
        of_prefixes = pl.col("prefix_id").is_in(prefixes["prefix_id"].implode())
        of_solutions = pl.col("solution_id").is_in(solutions["solution_id"].implode())
        return replace(
            self,
            solutions=solutions,
            prefixes=prefixes,
            solution_prefixes=self.solution_prefixes.filter(of_solutions),
            rollouts=self.rollouts.filter(of_prefixes),
        )
