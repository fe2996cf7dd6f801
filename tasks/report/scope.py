"""Whether a run is large enough to judge differences, and its cautions."""

from dataclasses import dataclass

from pav.tasks.report.arm_names import points
from pav.tasks.report.inputs import ReportInputs

# With 100 problems the 95 % interval of an accuracy near one half is 20 points wide.
FEWEST_PROBLEMS = 100
# Below, nearly every problem is out of reach of every arm, and no arm can show what it is worth.
LEAST_ACCURACY = 0.1


@dataclass(frozen=True)
class Caution:
    """A conclusion that the run does not allow, in a few words, and why."""

    title: str
    words: str


@dataclass(frozen=True)
class Scope:
    """The cautions of a run; `is_judged` is whether a difference may be called gain or loss."""

    cautions: tuple[Caution, ...]
    is_judged: bool


def scope_of(inputs: ReportInputs) -> Scope:
    """Return what the numbers of problems and seeds, and the accuracies, allow to say."""
    small = [*_few_problems(inputs), *_no_success(inputs)]
    return Scope((*small, *_one_seed(inputs)), is_judged=not small)


def _few_problems(inputs: ReportInputs) -> list[Caution]:
    count = inputs.num_test_problems
    if count >= FEWEST_PROBLEMS:
        return []
    return [
        Caution(
            "Too small to conclude",
            f"The run has {count} test problems, fewer than {FEWEST_PROBLEMS}. It shows that the "
            "pipeline works. It does not show which verifier or which search is better: no "
            "difference below is called a gain or a loss.",
        )
    ]


def _no_success(inputs: ReportInputs) -> list[Caution]:
    best = max((float(arm["accuracy"]) for arm in inputs.arms), default=0.0)
    if best >= LEAST_ACCURACY:
        return []
    return [
        Caution(
            "Accuracy too low to conclude",
            f"The best arm is right on {points(best)}% of the test problems, less than "
            f"{100 * LEAST_ACCURACY:g}%. Differences between arms that nearly always fail say "
            "nothing about verifiers: none is called a gain or a loss. A stronger base policy or "
            "easier problems would.",
        )
    ]


def _one_seed(inputs: ReportInputs) -> list[Caution]:
    if inputs.num_pipeline_seeds > 1:
        return []
    return [
        Caution(
            "One pipeline seed",
            "Labels and verifiers were made once. The intervals cover the choice of test problems "
            "but not the variation from retraining the verifiers, so every difference holds for "
            'these verifiers only. The config "full" repeats the pipeline with three seeds.',
        )
    ]
