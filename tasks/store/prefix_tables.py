"""Prefixes with their steps, which stand once in the store: with the solutions they begin."""

import polars as pl

from pav.models.errors import StoreError


def with_steps(prefixes: pl.DataFrame, solutions: pl.DataFrame) -> pl.DataFrame:
    """Return prefixes with the column `steps`, in their order; StoreError where one has none.

    `solutions` has every `solution_id` that the prefixes name, with its `steps`.
    """
    whole = solutions.select("solution_id", whole="steps").unique("solution_id", keep="first")
    joined = prefixes.join(whole, on="solution_id", how="left", maintain_order="left")
    if lost := joined["whole"].null_count():
        raise StoreError(
            f"prefixes: {lost} of {prefixes.height} are the first steps of solutions that are not "
            "there; remove the manifests of their units, and run again"
        )
    return joined.with_columns(steps=pl.col("whole").list.head(pl.col("num_steps"))).drop("whole")
