"""Which figures a report shows, with captions that name aggregation, seeds and settings."""

from collections.abc import Sequence

import polars as pl

from pav.models.metrics import metrics_table
from pav.models.statistics import bootstrap_weights, over_problems
from pav.tasks import diagnostic_figures, figures
from pav.tasks.arm_labels import ALPHA, Row, prover_label, seeds_label, verifier_label
from pav.tasks.plotting import Figure
from pav.tasks.report_inputs import ReportInputs

MOST_CALIBRATED = 6


def provenance(inputs: ReportInputs, arms: Sequence[Row]) -> str:
    """Return aggregation, interval and seeds behind a figure of arms."""
    seeds = " or ".join(sorted({seeds_label(arm) for arm in arms}))
    confidence = 100 * inputs.settings.report.confidence
    return (
        f"Mean over {inputs.num_test_problems} test problems and {seeds}; "
        f"bars: {confidence:g}% bootstrap intervals over problems."
    )


def search_figures(inputs: ReportInputs) -> list[Figure]:
    """Return accuracy of the main arms against candidates and against generated tokens."""
    arms = _main_arms(inputs)
    if not arms:
        return []
    samples = inputs.select("best_of_n", "orm") or inputs.select("best_of_n", "q")
    source = provenance(inputs, arms)
    drawn = figures.curves(arms)
    if samples:
        drawn.append(figures.pass_curve(samples, label="pass@N of samples"))
    by_tokens = figures.curves(arms, x="generated_tokens")
    return [
        figures.accuracy_figure(
            drawn, name="accuracy", title="Accuracy against candidates",
            caption=f"{source} Points are moved sideways so that bars do not cover each other. "
            "Dashed: share of problems with any right answer among N independent samples.",
        ),
        figures.cost_figure(
            by_tokens, name="tokens", title="Accuracy against generated tokens",
            caption=f"{source} Tokens for each problem, discarded candidates included; forwards "
            "of verifiers are in the table of arms.",
        ),
    ]  # fmt: skip


def prover_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the beam with each prover, the K sweep, and alpha on validation problems."""
    beams = inputs.select("beam", "pav")
    if not beams:
        return []
    names = [inputs.main_prover, "weak", "strong"]
    shown = [
        *inputs.select("beam", "q"),
        *(arm for name in names for arm in beams if arm["prover"] == name),
    ]
    found = [
        figures.accuracy_figure(
            figures.curves(shown), name="provers", title="Beam with each prover",
            caption=provenance(inputs, shown),
        )
    ]  # fmt: skip
    return [*found, *_k_figures(inputs, beams), *_alpha_figures(inputs)]


def _k_figures(inputs: ReportInputs, beams: Sequence[Row]) -> list[Figure]:
    """Return accuracy against K at the most candidates, where several K were run."""
    most = max(int(arm["num_samples"]) for arm in beams)
    swept = [arm for arm in beams if arm["prover"].startswith("bo") and arm["num_samples"] == most]
    if len(swept) < 2:
        return []
    level = [arm for arm in inputs.select("beam", "q") if arm["num_samples"] == most]
    caption = f"{most} candidates. {provenance(inputs, swept)} Grey: the beam on Q alone."
    title = "Strength of the Best-of-K prover"
    return [figures.k_figure(swept, level[0] if level else None, title=title, caption=caption)]


def _alpha_figures(inputs: ReportInputs) -> list[Figure]:
    """Return validation accuracy against alpha, where several alphas were tried."""
    rows = alpha_rows(inputs)
    if len(rows) < 2:
        return []
    used = [float(arm["alpha"]) for arm in inputs.select("beam", "pav", inputs.main_prover)]
    evaluate = inputs.settings.evaluate
    caption = (
        f"{rows[0]['num_problems']} validation problems, {evaluate.alpha_num_samples} candidates, "
        f"prover {prover_label(inputs.main_prover)}; bars: bootstrap intervals over problems. "
        f"{ALPHA} = 0 is the beam on Q. Test problems had no part in the choice."
    )
    title = f"Choice of {ALPHA} on validation problems"
    chosen = used[0] if used else None
    return [figures.alpha_figure(rows, chosen, title=title, caption=caption)]


def alpha_rows(inputs: ReportInputs) -> list[Row]:
    """Return accuracy with its interval for each alpha tried on validation problems."""
    tried = inputs.search_results.filter(
        (pl.col("split") == "validation")
        & (pl.col("strategy") == "beam")
        & ((pl.col("prover") == inputs.main_prover) | (pl.col("verifier") == "q"))
        & (pl.col("num_samples") == inputs.settings.evaluate.alpha_num_samples)
    )
    rows = []
    for key, table in tried.group_by("alpha"):
        share = table.group_by("problem_id").agg(pl.col("is_correct").mean()).sort("problem_id")
        values = share["is_correct"].to_numpy()
        weights = bootstrap_weights(len(values), inputs.settings.report.num_resamples, seed=0)
        found = over_problems(values, weights, confidence=inputs.settings.report.confidence)
        rows.append(
            {
                "alpha": key[0],
                "accuracy": found.mean,
                "low": found.low,
                "high": found.high,
                "num_problems": len(values),
            }
        )
    return sorted(rows, key=lambda row: float(row["alpha"]))


def limit_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the pass of the candidates against the pick, and each verifier's AUC by step."""
    arms = [arm for arm in _main_arms(inputs) if int(arm["num_samples"]) > 1]
    found = []
    if arms:
        caption = (
            "Between the two marks lies what a perfect final pick would add. "
            f"Number: candidates. {provenance(inputs, arms)}"
        )
        found.append(
            figures.pick_figure(
                arms, title="Held by the candidates, taken by the pick", caption=caption
            )
        )
    by_step = _by_step(inputs.scores)
    if by_step:
        found.append(
            diagnostic_figures.auc_figure(
                by_step, title="AUC of verifiers by number of steps",
                caption=f"{_held_out(inputs)} A prefix with c of n right rollouts counts as c "
                "right and n - c wrong ones; a finished solution as its verdict.",
            )
        )  # fmt: skip
    return found


def _by_step(scores: pl.DataFrame) -> list[Row]:
    """Return AUC by verifier and number of steps, where both classes occur."""
    if scores.is_empty():
        return []
    table = metrics_table(scores, by=("verifier", "num_steps"))
    return table.filter(pl.col("auc").is_not_nan()).to_dicts() if table.width > 2 else []


def label_figures(inputs: ReportInputs) -> list[Figure]:
    """Return values by number of steps, and a label's error against its number of rollouts."""
    labels = inputs.labels()
    if labels.is_empty():
        return []
    source = (
        f"{labels.height:,} distinct prefixes of training and held-out solutions, labelled by the "
        f"base policy; {inputs.settings.label.num_rollouts} rollouts asked of each, pipeline "
        f"seeds {_listed(inputs.settings.pipeline_seeds)} pooled."
    )
    return [
        diagnostic_figures.values_figure(
            labels, title="Values of labels by number of steps", caption=source
        ),
        diagnostic_figures.noise_figure(
            labels, title="How exact a label is",
            caption=f"{source} Root of the mean squared standard error over prefixes; an advantage "
            "is a difference of two labels. Dashed: spread of the true values between prefixes.",
        ),
    ]  # fmt: skip


def verifier_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the reliability of each verifier on held-out problems."""
    found = []
    for name in sorted(inputs.scores["verifier"].unique())[:MOST_CALIBRATED]:
        mine = inputs.scores.filter((pl.col("verifier") == name) & (pl.col("num_rollouts") > 0))
        if mine.is_empty():
            continue
        source = f"{mine.height:,} labelled step ends. {_held_out(inputs)}"
        caption = f"{source} Bars: how many fall in each bin."
        title = verifier_label(name) + (" (all completions)" if name == "orm_all" else "")
        found.append(
            diagnostic_figures.reliability_figure(mine, verifier=name, title=title, caption=caption)
        )
    return found


def training_figures(inputs: ReportInputs) -> list[Figure]:
    """Return the losses of the policy's and of each verifier's training."""
    found = []
    for name in inputs.training_runs["name"].unique(maintain_order=True):
        mine = inputs.training_runs.filter(pl.col("name") == name)
        seeds = mine["pipeline_seed"].unique().sort().to_list()
        caption = f"Pipeline seeds {_listed(seeds)}; a line each. Soft-label cross-entropy, nats."
        if name not in inputs.scores["verifier"]:
            caption = "Next-token cross-entropy on the solver's paths, nats."
        found.append(
            diagnostic_figures.training_figure(
                mine, name=name, title=verifier_label(name), caption=caption
            )
        )
    return found


def _main_arms(inputs: ReportInputs) -> list[Row]:
    """Return the arms of the claims: better ORM, Q beam, and PAV beam with the main prover."""
    return [
        *inputs.select("beam", "pav", inputs.main_prover),
        *inputs.select("beam", "q"),
        *inputs.better_orm(),
        *inputs.select("best_of_n", "q_product"),
    ]


def _held_out(inputs: ReportInputs) -> str:
    """Return which problems verifiers are measured on."""
    splits = " and ".join(sorted(inputs.scores["split"].unique()))
    seeds = _listed(inputs.scores["pipeline_seed"].unique().sort())
    return f"Problems of {splits}, never trained on; pipeline seeds {seeds} pooled."


def _listed(numbers: Sequence[int] | pl.Series) -> str:
    return ", ".join(str(number) for number in numbers)
