"""Which module executes the units of which stage."""

from pav.models.errors import InputError

STAGE_MODULES = {
    "problems": "pav.tasks.problems",
    "pretrain": "pav.tasks.pretraining",
    "sample": "pav.tasks.sampling",
    "allocate": "pav.tasks.allocating",
    "label": "pav.tasks.labelling",
    "pilot": "pav.tasks.piloting",
    "pool": "pav.tasks.benches.pooling",
    "train": "pav.tasks.training",
    "evaluate": "pav.tasks.searching",
}


def stage_module(stage: str) -> str:
    """Return the dotted name of the module whose `open_worker` executes a stage."""
    if stage not in STAGE_MODULES:
        raise InputError(f"stage {stage!r}: expected one of {sorted(STAGE_MODULES)}")
    return STAGE_MODULES[stage]
