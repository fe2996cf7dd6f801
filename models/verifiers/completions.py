"""Graded samples as the verifiers' examples count them: each distinct completion once."""

from collections.abc import Iterable

import polars as pl

from pav.models.labels.sampling_measure import Completion
from pav.models.records import Verdict


def solution_completions(solutions: pl.DataFrame) -> list[Completion]:
    """Return the distinct graded responses of the `solutions` data set, sampled from no steps."""
    graded = solutions.with_columns(start=pl.lit(0, dtype=pl.Int32))
    return _completions(graded.rename({"steps": "all_steps"}))


def rollout_completions(
    rollouts: pl.DataFrame, prefixes: pl.DataFrame, *, policy_id: str
) -> list[Completion]:
    """Return the distinct graded completions (prefix and rollout) that a policy was sampled for."""
    starts = prefixes.select(
        "prefix_id", "problem_id", start_steps="steps", start=pl.col("steps").list.len()
    ).unique("prefix_id")
    joined = rollouts.filter(pl.col("policy_id") == policy_id).join(starts, on="prefix_id")
    return _completions(joined.with_columns(all_steps=pl.concat_list("start_steps", "steps")))


def _completions(samples: pl.DataFrame) -> list[Completion]:
    """Group samples by response and start, in a fixed order; failed ones never count."""
    grouped = (
        samples.filter(pl.col("verdict") != Verdict.FAILED.value)
        .with_columns(
            text=pl.col("all_steps").list.join(""),
            is_finished=pl.col("finish_reason") == "stop",
        )
        .group_by("problem_id", "text", "is_finished", "start")
        .agg(
            pl.col("all_steps").first(),
            num_samples=pl.len(),
            num_correct=(pl.col("verdict") == Verdict.CORRECT.value).sum(),
        )
        .sort("problem_id", "text", "is_finished", "start")
    )
    columns = ("problem_id", "all_steps", "is_finished", "start", "num_samples", "num_correct")
    return [
        Completion(problem, tuple(steps), finished, start, samples, correct)
        for problem, steps, finished, start, samples, correct in grouped.select(columns).iter_rows()
    ]


def restrict(completions: Iterable[Completion], problem_ids: Iterable[str]) -> list[Completion]:
    """Return the completions of the given problems."""
    wanted = frozenset(problem_ids)
    return [completion for completion in completions if completion.problem_id in wanted]
