"""The limits of a result: pick or search, verifiers, and effects that no interval covers."""

import polars as pl

from pav.models.search.strategies import is_stepwise
from pav.models.verifiers.metrics import metrics_table
from pav.tasks.report.arm_names import arm_label, points, verifier_label
from pav.tasks.report.inputs import ReportInputs


def limits(inputs: ReportInputs) -> list[str]:
    """Return in sentences what keeps the PAV beam from more, and what the run cannot cover."""
    return [
        *_lost_points(inputs),
        *_judges(inputs),
        *_weakest_step(inputs),
        *_cut_off(inputs),
        _shared_base(inputs),
        _base_knows_problems(inputs),
    ]


def _lost_points(inputs: ReportInputs) -> list[str]:
    """Return what the pick and what the search of the main beam lose."""
    found = []
    for arm in inputs.select("beam", "pav", inputs.main_prover)[-1:]:
        lost = float(arm["pass_rate"]) - float(arm["accuracy"])
        missed = 1 - float(arm["pass_rate"])
        larger = "the final pick's" if lost > missed else "the search's, before any pick"
        found.append(
            f"{arm_label(arm)[:1].upper()}{arm_label(arm)[1:]} at {arm['num_samples']} candidates "
            f"fails on {points(1 - float(arm['accuracy']))}% of the problems. On {points(lost)}% "
            "some finished candidate is right but the pick did not take it; on "
            f"{points(missed)}% no finished candidate is right (never sampled, or dropped on the "
            f"way). The larger loss is {larger}."
        )
    return found


def _judges(inputs: ReportInputs) -> list[str]:
    """Return how well each verifier tells finished right solutions from finished wrong ones."""
    table = metrics_table(inputs.scores.filter("is_terminal"), by=("verifier",))
    said = [
        f"{verifier_label(row['verifier'])} {row['auc']:.3f}"
        for row in table.to_dicts()
        if row.get("auc", float("nan")) == row.get("auc")
    ]
    return [f"AUC on finished held-out solutions: {'; '.join(said)}."] if said else []


def _weakest_step(inputs: ReportInputs) -> list[str]:
    """Return where along a solution the Q network tells right from wrong worst."""
    mine = inputs.scores.filter(inputs.scores["verifier"] == "q")
    if mine.is_empty():
        return []
    table = metrics_table(mine, by=("num_steps",))
    rows = [row for row in table.to_dicts() if row.get("auc", float("nan")) == row.get("auc")]
    if not rows:
        return []
    weakest = min(rows, key=lambda row: float(row["auc"]))
    steps = weakest["num_steps"]
    where = "at the bare problem" if not steps else f"after {steps} step{'s' if steps > 1 else ''}"
    return [
        f"The Q network is least reliable {where}: its AUC there is {weakest['auc']:.3f} over "
        f"{weakest['num_prefixes']:,.0f} held-out prefixes."
    ]


def _cut_off(inputs: ReportInputs) -> list[str]:
    """Return how many searches the bound on steps ended, where there is one."""
    beams = [arm for arm in inputs.arms if is_stepwise(arm["strategy"])]
    cut = sum(int(arm["searches_cut_off"]) for arm in beams)
    if not cut:
        return []
    total = sum(int(arm["num_searches"]) for arm in beams)
    return [
        f"{cut:,} of {total:,} searches reached evaluate.max_steps with beams still open, and gave "
        "up what these beams might have found."
    ]


def _shared_base(inputs: ReportInputs) -> str:
    """Return that no interval covers another base policy."""
    seeds = inputs.num_pipeline_seeds
    who = f"The {seeds} pipeline seeds share" if seeds > 1 else "The run has"
    return (
        f"{who} one base policy, one split of the problems and one set of test problems. No "
        "interval on this page covers what another base policy would change."
    )


def _base_knows_problems(inputs: ReportInputs) -> str:
    """Return whether the base policy has seen the problems that its labels are of."""
    if inputs.settings.prepare.policy("base").path:
        return (
            "The base policy is an imported checkpoint. The store does not record whether it was "
            "trained on any of these problems."
        )
    return (
        "The base policy was trained on solutions of the training problems, and the labels that "
        "verifiers are trained on are of the same problems"
        f"{_success_by_split(inputs)}. The values that verifiers learn from are thus those of a "
        "policy that knows its problems."
    )


def _success_by_split(inputs: ReportInputs) -> str:
    """Return how often one sample of the base policy is right on seen and on other problems."""
    known = inputs.problems.select("problem_id", "split")
    mine = inputs.solutions.filter(pl.col("policy_id").is_in(inputs.base_policies))
    shares = (
        mine.join(known, on="problem_id")
        .group_by((pl.col("split") == "train").alias("is_seen"))
        .agg((pl.col("verdict") == "correct").mean().alias("share"))
    )
    share = dict(shares.iter_rows())
    if len(share) < 2:
        return ""
    return (
        f": one sample of it is right on {points(share[True])}% of the training problems and on "
        f"{points(share[False])}% of the held-out ones"
    )
