"""Sentences of the report: the task, how arms are compared, the labels, the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pav.models.domains import domain_of
from pav.tasks.report.arm_names import ALPHA, TIMES, Row, arm_label, pick_words, points
from pav.tasks.report.diagnostic_figures import label_noise
from pav.tasks.report.inputs import ReportInputs
from pav.tasks.report.scope import Scope
from pav.tasks.store.stage_report import StageReport


@dataclass(frozen=True)
class Tile:
    """One number of the head of the page."""

    number: str
    words: str


def task_words(inputs: ReportInputs) -> str:
    """Return in a sentence or two what a problem is, and when a solution is right."""
    questions, answers = (inputs.problems[name].to_list() for name in ("question", "answer"))
    return domain_of(inputs.settings).described(questions, answers)


def question_words() -> str:
    """Return what the report asks."""
    return (
        "A base policy (a language model) writes candidate solutions; verifiers, trained on the "
        "outcomes of rollouts, choose among them. Which verifier, in which search, ends with the "
        "right answer most often for the same number of candidates?"
    )


def terms(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Return the short names that the page uses from its top on, each with its meaning."""
    k = inputs.settings.evaluate.main_k
    found = [
        ("Q", "the chance that the base policy, going on from a step, ends with the right answer; "
         "also the network that estimates it"),
        ("A", "advantage: how much one step changes the chance of success under a prover, a second "
         "policy"),
        ("PAV", f"process advantage verifier: scores a step by Q + {ALPHA}\N{MIDDLE DOT}A"),
        ("ORM", "outcome reward model: scores finished solutions only"),
        (f"Bo{k}", f"Best-of-{k}, a prover: the base policy with {k} attempts, right if any is"),
        ("best-of-N", "N whole solutions are sampled; the one with the highest score is the "
         "answer"),
        ("beam", "N candidates at each step, of which the best quarter goes on; a final pick "
         "chooses the answer"),
        ("pass", "some finished candidate is right: what a perfect pick would reach"),
        (f"{TIMES} likelihood", "the score is multiplied by a power of the solution's probability "
         "under the base policy"),
        ("majority", "the answer that most samples give; ORM-weighted: by the sum of their scores"),
    ]  # fmt: skip
    arms = " ".join(arm_label(arm) for arm in inputs.arms)
    return [(name, words) for name, words in found if name not in _OPTIONAL or name in arms]


_OPTIONAL = (f"{TIMES} likelihood", "majority")


def tiles(inputs: ReportInputs) -> list[Tile]:
    """Return the accuracies of the main arms at the most candidates."""
    main = inputs.select("beam", "pav", inputs.main_prover)[-1:]
    level = inputs.select("beam", "q")[-1:]
    likely = inputs.select("best_of_n", "orm_likely")[-1:]
    single = inputs.select("single", "")[:1]
    shown = [*main, *level, *likely, *inputs.better_orm()[-1:], *single]
    return [Tile(f"{points(arm['accuracy'])}%", _tile_words(arm)) for arm in shown]


def _tile_words(arm: Row) -> str:
    if arm["strategy"] == "single":
        return "one sample of the base policy"
    return f"{arm_label(arm)}, {arm['num_samples']} candidates"


def cost_words(stages: Sequence[StageReport], wall_seconds: float, unit_seconds: float) -> str:
    """Return what a run cost; the wall time counts only what was made in it, which is said."""
    total, made = sum(stage.total for stage in stages), sum(stage.made for stage in stages)
    work = f"{unit_seconds / 60:.1f} minutes of worker time for all {total} units"
    if not made:
        return f"{work}, made by earlier runs"
    wall = f"{wall_seconds / 60:.1f} minutes"
    if made == total:
        return f"{wall} from an empty store; {work}"
    return f"{work}; this run made {made} of them in {wall} and reused {total - made}"


def protocol(inputs: ReportInputs, scope: Scope) -> str:
    """Return how comparisons are made, with the numbers of problems and seeds in the data."""
    seeds = inputs.num_pipeline_seeds
    repeats = f"{seeds} pipeline seed{'' if seeds == 1 else 's'}"
    again = "" if seeds == 1 else ", each with labels, verifiers and search of its own"
    most = 1 - inputs.settings.report.confidence
    judged = (
        " A difference is called a gain or a loss only where its intervals exclude zero and its "
        f"corrected p is at most {most:.2g}."
        if scope.is_judged
        else ""
    )
    return (
        f"Each row compares two arms (a search with its verifier) on the same "
        f"{inputs.num_test_problems} test problems and {repeats}{again}, on the search seeds that "
        "both arms have. The ORM is the better of "
        f"the two that were trained, judged on the same test problems.{judged}"
    )


def pick_note(inputs: ReportInputs) -> str:
    """Return whose gain the final pick's is and where its idea came from, where it is used."""
    beams = [arm for arm in inputs.select("beam", "pav") if "likely" in str(arm["final_pick"])]
    if not beams:
        return ""
    picks = pick_words(" / ".join(str(arm["final_pick"]) for arm in beams))
    return (
        f"Beams pick their answer by {picks}, chosen on validation problems. Against an arm that "
        "picks by a verifier's score alone, the difference includes the gain of this final pick; "
        f'it is no evidence for the search or for A. The rule "{TIMES} likelihood" was devised '
        "after looking at wrong answers on test problems; its weight and its choice used "
        "validation problems only (docs/decisions/search.md)."
    )


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
        f"{found['num_prefixes']:,} prefixes of the base policy's solutions have "
        f"{found['num_rollouts']:,} rollouts ({found['generated_tokens']:,} generated tokens), "
        f"{each:.1f} for each prefix on average. {points(found['share_without_correct'])}% of the "
        f"prefixes have no right rollout. Sampling noise makes up {points(share)}% of the "
        "variance of the label values.",
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
