"""Stage `spread`: what `pav --help` reads of it, so that this module imports nothing heavy."""

from pav.flows.stages import Stage, StagePart

STAGE = Stage(
    "spread",
    help="Measure how wide the interval of each label is",
    about="Measure the width of the Wilson interval of each label.",
    parts=(StagePart("spread", "spread_plan:plan_spread"),),
    after="label",
)
