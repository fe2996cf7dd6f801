"""The stages of a run in their order, each with its parts. Everything else reads this one list.

`pav --help` reads it too: what plans a part (`pav.flows.plan`) and what makes it are named, not
imported.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StagePart:
    """A part of a stage; `work` maps each stage its units have to the module that makes them."""

    name: str
    work: Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """A stage that a user can name. `help` is its command's, `about` its Prefect flow's."""

    name: str
    help: str
    about: str
    parts: tuple[StagePart, ...]


STAGES = (
    Stage(
        "prepare",
        "Make the problems and the three policies",
        "Make the problems, and train the three policies that are not given.",
        (
            StagePart("problems", {"problems": "pav.tasks.problems.work"}),
            StagePart("pretrain", {"pretrain": "pav.tasks.prepare.work"}),
        ),
    ),
    Stage(
        "sample",
        "Sample solutions to be labelled",
        "Sample solutions of every problem, to be labelled.",
        (StagePart("sample", {"sample": "pav.tasks.sample.work"}),),
    ),
    Stage(
        "label",
        "Roll out prefixes, as the planner of the settings has it, and count successes",
        "Roll out prefixes by the base and by each prover, as the planner of the settings has it.",
        (
            StagePart(
                "label",
                {
                    "label": "pav.tasks.label.work",
                    # Under a budget: what a few labels cost, and where the next rollouts go.
                    "pilot": "pav.tasks.label.pilot_work",
                    "allocate": "pav.tasks.label.rounds_work",
                },
            ),
        ),
    ),
    Stage(
        "train",
        "Train the verifiers",
        "Train the verifiers on the labels.",
        (StagePart("train", {"train": "pav.tasks.train.work"}),),
    ),
    Stage(
        "evaluate",
        "Search on held-out problems with every arm",
        "Choose alpha and the final pick on validation problems, then search the test problems.",
        (
            # The same code on other problems: validation chooses what test measures.
            StagePart("choose", {"evaluate": "pav.tasks.evaluate.work"}),
            StagePart("evaluate", {"evaluate": "pav.tasks.evaluate.work"}),
        ),
    ),
)
PARTS: Mapping[str, StagePart] = {part.name: part for stage in STAGES for part in stage.parts}
