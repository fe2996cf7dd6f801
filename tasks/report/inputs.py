"""What a report is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pav.models.settings import RunSettings
from pav.tasks.report.arm_names import Row
from pav.tasks.store.stage_report import StageReport


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """The data sets of one run, its settings, what each stage did, and the computed results.

    `scores` are those of held-out problems; `results` is what the search results say.
    """

    settings: RunSettings
    results: Mapping[str, Any]
    stages: Sequence[StageReport]
    problems: pl.DataFrame
    solutions: pl.DataFrame
    prefixes: pl.DataFrame
    solution_prefixes: pl.DataFrame
    label_blocks: pl.DataFrame
    scores: pl.DataFrame
    training_runs: pl.DataFrame
    search_results: pl.DataFrame

    @property
    def arms(self) -> list[Row]:
        """Every arm on the test problems."""
        return list(self.results["arms"])

    @property
    def main_prover(self) -> str:
        """The BoK prover that the claims are made for."""
        return f"bo{self.settings.evaluate.main_k}"

    @property
    def num_test_problems(self) -> int:
        """How many test problems the arms were run on."""
        return int(self.results["num_test_problems"])

    @property
    def num_pipeline_seeds(self) -> int:
        """How many pipeline seeds the search results hold, however often the settings name one."""
        return int(self.results["num_pipeline_seeds"])

    def select(self, strategy: str, verifier: str, prover: str | None = None) -> list[Row]:
        """Return the arms of one kind, by number of candidates; None takes every prover."""
        found = [
            arm
            for arm in self.arms
            if arm["strategy"] == strategy
            and arm["verifier"] == verifier
            and prover in (None, arm["prover"])
        ]
        return sorted(found, key=lambda arm: int(arm["num_samples"]))

    def better_orm(self) -> list[Row]:
        """Return best-of-N by the better of the two ORMs."""
        return self.select("best_of_n", str(self.results["better_orm"]))

    @property
    def base_policies(self) -> list[str]:
        """The ids of the base policy, which alone samples held-out problems."""
        held_out = self.problems.filter(pl.col("split") != "train")["problem_id"]
        mine = self.solutions.filter(pl.col("problem_id").is_in(held_out.implode()))
        return (self.solutions if mine.is_empty() else mine)["policy_id"].unique().to_list()

    def labels(self) -> pl.DataFrame:
        """Return the base policy's labels: one row per prefix, its counts and number of steps."""
        counts = self.label_blocks.filter(pl.col("policy_id").is_in(self.base_policies))
        totals = counts.group_by("prefix_id").agg(
            pl.col("num_rollouts", "num_correct", "generated_tokens").sum()
        )
        steps = self.prefixes.unique("prefix_id").select("prefix_id", "num_steps")
        return totals.join(steps, on="prefix_id")
