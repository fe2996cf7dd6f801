"""What a report says in words: claims with their intervals as they came, and what limits them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pav.models.metrics import metrics_table
from pav.tasks.arm_labels import Row, arm_label, points, verifier_label
from pav.tasks.diagnostic_figures import label_noise
from pav.tasks.report_inputs import ReportInputs


@dataclass(frozen=True)
class Claim:
    """One comparison in words; `kind` is `for`, `against` or `open`."""

    kind: str
    verdict: str
    words: str
    detail: str


@dataclass(frozen=True)
class Tile:
    """One number of the head of the page."""

    number: str
    words: str


def claims(comparisons: Sequence[Row], *, confidence: float) -> list[Claim]:
    """Return one claim for each comparison; a difference is one only if its interval says so."""
    return [_claim(row, level=f"{100 * confidence:g}%") for row in comparisons]


def _claim(row: Row, *, level: str) -> Claim:
    """Return a comparison in words; the paper expects each of them above zero."""
    difference = f"{points(row['difference'], sign=True)} points"
    words = f"{row['label']}: {difference}, interval {_range(row['low'], row['high'])}."
    detail = f"{level} paired bootstrap over problems"
    if row["t_low"] is not None:
        seeds = f"t interval over {row['num_seeds']} pipeline seeds"
        both = f"over seeds and problems {_range(row['both_low'], row['both_high'])}"
        detail += f"; {seeds} {_range(row['t_low'], row['t_high'])}; {both}."
    else:
        detail += (
            "; one pipeline seed, so what another draw of labels and verifiers would change is "
            "not in it."
        )
    if not row["excludes_zero"]:
        return Claim("open", "No difference shown.", words, detail)
    if row["difference"] > 0:
        return Claim("for", "As the paper has it.", words, detail)
    return Claim("against", "Against the paper.", words, detail)


def _range(low: float, high: float) -> str:
    return f"{points(low, sign=True)} to {points(high, sign=True)}"


def tiles(inputs: ReportInputs) -> list[Tile]:
    """Return the accuracies of the main arms at the most candidates, and what the run took."""
    main = inputs.select("beam", "pav", inputs.main_prover)[-1:]
    level = inputs.select("beam", "q")[-1:]
    shown = [*main, *level, *inputs.better_orm()[-1:], *inputs.select("single", "")[:1]]
    found = [Tile(f"{points(arm['accuracy'])}%", _tile_words(arm)) for arm in shown]
    if inputs.results.get("wall_seconds"):
        minutes = float(inputs.results["wall_seconds"]) / 60
        reused, total = (sum(getattr(stage, name) for stage in inputs.stages) for name in _UNITS)
        words = f"wall time of this run, {reused} of {total} units reused"
        found.append(Tile(f"{minutes:.1f} min", words))
    return found


_UNITS = ("reused", "total")


def _tile_words(arm: Row) -> str:
    """Return the arm under a tile's number, `better ORM` named as such."""
    if arm["strategy"] == "single":
        return "one sample of the base policy"
    return f"{arm_label(arm)}, {arm['num_samples']} candidates"


def protocol(inputs: ReportInputs) -> str:
    """Return how comparisons are made, with the numbers of problems and seeds."""
    seeds = inputs.num_pipeline_seeds
    whole = (
        f"{seeds} pipeline seed{'' if seeds == 1 else 's'} (labels, verifiers and search redrawn)"
    )
    return (
        f"Every comparison is paired over the same {inputs.num_test_problems} test problems and "
        f"{whole}; a difference is called one only where its interval excludes zero, and the ORM "
        "is the better of the two that were trained. Intervals stand as they came, also where "
        "they go against the paper."
    )


def limits(inputs: ReportInputs) -> list[str]:
    """Return in words what keeps the PAV beam from more: the pick, the beam, labels."""
    main = inputs.select("beam", "pav", inputs.main_prover)[-1:]
    found = []
    for arm in main:
        lost = float(arm["pass_rate"]) - float(arm["accuracy"])
        missed = 1 - float(arm["pass_rate"])
        larger = "the final pick's" if lost > missed else "the search's, before any pick"
        found.append(
            f"Of the {points(1 - float(arm['accuracy']))} points that {arm_label(arm)} at "
            f"{arm['num_samples']} candidates misses, {points(lost)} are problems whose kept "
            f"candidates hold a right solution that the pick did not take, and {points(missed)} "
            f"are problems where no kept candidate is right (never sampled, or dropped on the "
            f"way). The larger loss is {larger}."
        )
    return [*found, *_judges(inputs), *_weakest_step(inputs)]


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
    if "auc" not in table.columns:
        return []
    rows = [row for row in table.to_dicts() if row["auc"] == row["auc"]]
    if not rows:
        return []
    weakest = min(rows, key=lambda row: float(row["auc"]))
    return [
        f"The Q network is least sure after {weakest['num_steps']} steps: AUC "
        f"{weakest['auc']:.3f} there over {weakest['num_prefixes']:,.0f} held-out prefixes."
    ]


def label_summary(inputs: ReportInputs) -> dict[str, Any]:
    """Return how many base labels there are, their price, their noise and the spread of values."""
    labels = inputs.labels()
    within, between = label_noise(labels)
    rollouts = int(labels["num_rollouts"].sum())
    return {
        "num_prefixes": labels.height,
        "num_rollouts": rollouts,
        "generated_tokens": int(labels["generated_tokens"].sum()),
        "share_without_correct": labels.select((pl.col("num_correct") == 0).mean()).item(),
        "variance_of_a_rollout": within,
        "variance_between_prefixes": between,
    }


def label_words(inputs: ReportInputs) -> list[str]:
    """Return how many labels and rollouts there are, their noise, price and estimate."""
    found = label_summary(inputs)
    if not found["num_prefixes"]:
        return ["There are no labels."]
    each = found["num_rollouts"] / found["num_prefixes"]
    noise = found["variance_of_a_rollout"] / each
    share = noise / (noise + found["variance_between_prefixes"]) if noise else 0.0
    return [
        f"{found['num_prefixes']:,} prefixes of the base policy's solutions hold "
        f"{found['num_rollouts']:,} rollouts ({found['generated_tokens']:,} tokens generated), "
        f"{each:.1f} each; {points(found['share_without_correct'])}% have no right one. "
        f"Chance makes up {points(share)}% of the variance of the values.",
        *(
            f"{note[:1].upper()}{note[1:]}."
            for stage in inputs.stages
            if stage.stage == "label"
            for note in stage.notes
        ),
    ]


def settings_lines(settings: Mapping[str, Any], *, indent: int = 0) -> list[str]:
    """Return nested settings as indented `key: value` lines."""
    lines: list[str] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += [f"{' ' * indent}{key}:", *settings_lines(value, indent=indent + 2)]
        else:
            shown = list(value) if isinstance(value, tuple) else value
            lines.append(
                f"{' ' * indent}{key}: {shown!r}"
                if shown == ""
                else f"{' ' * indent}{key}: {shown}"
            )
    return lines
