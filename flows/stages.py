"""The stages of a run, each with its parts. Everything else reads this one list.

Plug-ins add stages by entry points of the group `pav.stages`. `pav --help` reads the list too: what
plans a part is named, not imported, and so is what makes its units (`tasks/store/stages.py`).
"""

from dataclasses import dataclass

from pav.models.errors import InputError
from pav.models.plugins import Registry


@dataclass(frozen=True)
class StagePart:
    """A part of a stage: functions of a `Plan`, each by its name `module:function`.

    Attributes:
        name: what the part is called in `pav status` and in `Plan.finished`.
        plan: returns the units. It looks at settings and manifests: a forecast calls it with
            stand-ins for the manifests of what is not made yet.
        check: raises InputError for what can be known to be wrong before a missing unit is made.
        notes: returns what is said of the finished part, as texts.
    """

    name: str
    plan: str
    check: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Stage:
    """A stage that a user can name. `help` is its command's, `about` its Prefect flow's.

    It reads what the stage `after` and those before that one made. `check` names a function
    of the settings that raises InputError where the stage can do nothing with them.
    """

    name: str
    help: str
    about: str
    parts: tuple[StagePart, ...]
    after: str = ""
    check: str = ""


_OWN = (
    Stage(
        "prepare",
        "Make the problems and the policies",
        "Make the problems, and train the policies that are not given.",
        (
            StagePart("problems", "pav.flows.plan:problems_units"),
            StagePart("pretrain", "pav.flows.plan:pretrain_units"),
        ),
    ),
    Stage(
        "sample",
        "Sample solutions to be labelled",
        "Sample solutions of every problem, to be labelled.",
        (StagePart("sample", "pav.flows.plan:sample_units"),),
        after="prepare",
    ),
    Stage(
        "label",
        "Roll out prefixes, as the planner of the settings has it, and count successes",
        "Roll out prefixes by the base and by each prover, as the planner of the settings has it.",
        (
            StagePart(
                "label",
                "pav.flows.plan:label_units",
                # Before any rollout: the solutions tell already whether answers can be read.
                check="pav.flows.plan:check_answers",
                notes="pav.flows.plan:notes_of_labels",
            ),
        ),
        after="sample",
    ),
    Stage(
        "train",
        "Train the verifiers",
        "Train the verifiers on the labels.",
        (StagePart("train", "pav.flows.plan:train_units"),),
        after="label",
    ),
    Stage(
        "evaluate",
        "Search on held-out problems with every arm",
        "Choose alpha and the final pick on validation problems, then search the test problems.",
        (
            # The same code on other problems: validation chooses what test measures.
            StagePart("choose", "pav.flows.plan:choose_units"),
            StagePart("evaluate", "pav.flows.plan:evaluate_units"),
        ),
        after="train",
        check="pav.flows.checks:check_search",
    ),
)
STAGES: Registry[Stage] = Registry(
    "stages",
    {stage.name: stage for stage in _OWN},
    is_entry=lambda entry: isinstance(entry, Stage),
)


def all_stages() -> tuple[Stage, ...]:
    """Return pav's stages in their order, then those of plug-ins, each after what it reads."""
    lines = {name: stages_until(name) for name in STAGES}
    added = sorted(lines.keys() - {stage.name for stage in _OWN})
    stages = (*_OWN, *(lines[name][-1] for name in sorted(added, key=lambda n: len(lines[n]))))
    # The report has no units, and `run` is all stages.
    names = ["report", "run", *(part.name for stage in stages for part in stage.parts)]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"stages: expected one part named {name!r}, got {names.count(name)}; rename the "
                "part, or the stage, of the plug-in"
            )
    return stages


def stages_until(last: str) -> tuple[Stage, ...]:
    """Return a stage and those that it needs, first to last; InputError where there is none."""
    line: list[Stage] = []
    name = last
    while name:
        if name not in STAGES or len(line) == len(STAGES):
            raise InputError(
                f"stage {last!r}: expected `after` to lead back to a first stage, got {name!r}; "
                f"the stages are {', '.join(STAGES)}"
            )
        line.append(_named(name))
        name = line[-1].after
    return tuple(reversed(line))


def _named(name: str) -> Stage:
    stage = STAGES[name]
    if stage.name != name:
        raise InputError(
            f"plug-in {name!r} (pav.stages): expected a stage of that name, got {stage.name!r}; "
            "the entry point and the stage have one name"
        )
    return stage


def all_parts() -> dict[str, StagePart]:
    """Return every part of every stage by its name, in order."""
    return {part.name: part for stage in all_stages() for part in stage.parts}
