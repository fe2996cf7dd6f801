"""The stages that units have: where each is planned and made, and which data sets it leaves.

What a user names is a stage of `flows/stages.py`; its units may be of several of these.
"""

from dataclasses import dataclass

from pav.models.errors import InputError
from pav.models.plugins import Registry, named_object


@dataclass(frozen=True)
class UnitStage:
    """The stage of some units: `plan` is the module with its REVISION, `work` has `open_worker`.

    `work` is empty where a command makes its unit itself.
    Rows of an older revision are wrong, superseded or of other columns. The database leaves them
    out, save those of a stage that `keeps_older`.
    """

    plan: str
    work: str
    data_sets: tuple[str, ...]
    keeps_older: bool = False

    @property
    def revision(self) -> int:
        """The present REVISION of the stage's code."""
        return int(named_object(f"{self.plan}:REVISION"))


_SAMPLED = ("solutions", "prefixes", "solution_prefixes")
UNIT_STAGES: Registry[UnitStage] = Registry(
    "units",
    {
        "problems": UnitStage("pav.tasks.problems.plan", "pav.tasks.problems.work", ("problems",)),
        # Labels name their policy, whatever the revision that trained it.
        "pretrain": UnitStage(
            "pav.tasks.prepare.plan", "pav.tasks.prepare.work", ("training_runs",), keeps_older=True
        ),
        "sample": UnitStage("pav.tasks.sample.plan", "pav.tasks.sample.work", _SAMPLED),
        # A tree search leaves the solutions that it went through.
        "label": UnitStage(
            "pav.tasks.label.plan", "pav.tasks.label.work", ("label_blocks", "rollouts", *_SAMPLED)
        ),
        # Pilots and allocations of a budget were paid for, so older ones are kept.
        "pilot": UnitStage(
            "pav.tasks.label.pilot_plan", "pav.tasks.label.pilot_work", (), keeps_older=True
        ),
        "allocate": UnitStage(
            "pav.tasks.label.rounds_plan", "pav.tasks.label.rounds_work", ("allocations",),
            keeps_older=True,
        ),
        "train": UnitStage(
            "pav.tasks.train.plan", "pav.tasks.train.work", ("scores", "training_runs")
        ),
        "evaluate": UnitStage(
            "pav.tasks.evaluate.plan", "pav.tasks.evaluate.work", ("search_results", "final_picks")
        ),
        "import": UnitStage(
            "pav.tasks.imports.plan", "", ("problems", *_SAMPLED, "imported_labels")
        ),
        "pool": UnitStage(
            "pav.tasks.bench.pool_plan", "pav.tasks.bench.pool_work", ("pools",), keeps_older=True
        ),
    },
    is_entry=lambda entry: isinstance(entry, UnitStage),
)  # fmt: skip


def unit_stage(stage: str) -> UnitStage:
    """Return the stage of some units; InputError where no package has it."""
    if stage not in UNIT_STAGES:
        raise InputError(
            f"units of stage {stage!r}: expected an entry point of the group pav.units of that "
            f"name, got {', '.join(UNIT_STAGES)}; add it to the plug-in's pyproject.toml"
        )
    return UNIT_STAGES[stage]


def is_current(stage: str, revision: int) -> bool:
    """Tell whether the database reads what this revision of a stage made."""
    known = UNIT_STAGES.get(stage)
    return known is None or known.keeps_older or known.revision == revision
