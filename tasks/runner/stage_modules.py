"""Which module executes the units of which stage."""

from pav.models.errors import InputError

STAGE_MODULES = {
    "problems": "pav.tasks.problems.work",
    "pretrain": "pav.tasks.prepare.work",
    "sample": "pav.tasks.sample.work",
    "allocate": "pav.tasks.label.rounds_work",
    "label": "pav.tasks.label.work",
    "pilot": "pav.tasks.label.pilot_work",
    "pool": "pav.tasks.bench.pool_work",
    "train": "pav.tasks.train.work",
    "evaluate": "pav.tasks.evaluate.work",
}


def stage_module(stage: str) -> str:
    """Return the dotted name of the module whose `open_worker` executes a stage."""
    if stage not in STAGE_MODULES:
        raise InputError(f"stage {stage!r}: expected one of {sorted(STAGE_MODULES)}")
    return STAGE_MODULES[stage]
