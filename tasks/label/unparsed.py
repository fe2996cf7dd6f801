"""Stops labelling where too many responses have no answer that the settings can find.

Each such response would count as a failure of the policy, although the reading fails. A policy is
judged by its sampled solutions, before any rollout, or without solutions by the rollouts of its
first units.
"""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from pav.models.domains import domain_of
from pav.models.errors import InputError
from pav.models.planners.blocks import Block, Rolled
from pav.models.records import Verdict
from pav.models.settings import RunSettings
from pav.tasks.label.plan import labellers
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.manifests import read_tables
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest

# Number of responses in the message; fewer are no reason to stop.
_NUM_SHOWN = 3
_LONGEST_SHOWN = 120
# Confidence from one unit's rollouts that the share of all responses is too large.
_CONFIDENCE = 0.999


def check_sampled(
    settings: RunSettings,
    store: Store,
    policies: Mapping[str, PolicySpec],
    sampled: Sequence[Manifest],
) -> None:
    """Raise InputError where too many solutions of a policy that labels have no answer."""
    if not _can_be_read_otherwise(settings):
        return
    columns = ("policy_id", "verdict", "text")
    solutions = read_tables(store, sampled, "solutions", columns=columns)
    for role in labellers(settings, policies):
        graded = solutions.filter(
            pl.col("policy_id") == policies[role].policy_id,
            pl.col("verdict") != Verdict.FAILED.value,
        )
        unparsed = graded.filter(pl.col("verdict") == Verdict.UNPARSED.value)["text"].to_list()
        if len(unparsed) > settings.label.max_unparsed * graded.height:
            _refuse(settings, f"solutions of {role}", unparsed, graded.height)


def check_rolled(settings: RunSettings, role: str, blocks: Iterable[tuple[Block, Rolled]]) -> None:
    """Raise InputError where a unit's rollouts show that too many of a policy have no answer."""
    # Imports SciPy, which a plan does not need.
    from pav.models.labels.confidence import wilson_interval

    if not _can_be_read_otherwise(settings):
        return
    graded = [
        (block.prefix, sample, grading.verdict)
        for block, rolled in blocks
        for sample, grading in rolled
        if grading.verdict != Verdict.FAILED
    ]
    unparsed = [
        prefix.text + "".join(sample.steps)
        for prefix, sample, verdict in graded
        if verdict == Verdict.UNPARSED
    ]
    # A unit is a small draw: if the true share is just allowed, half the units are above it.
    low, _ = wilson_interval(len(unparsed), len(graded), confidence=_CONFIDENCE)
    if float(low) > settings.label.max_unparsed:
        _refuse(settings, f"rollouts of {role}", unparsed, len(graded))


def _can_be_read_otherwise(settings: RunSettings) -> bool:
    """Whether a setting says how answers are read, and not all may be without one."""
    return bool(domain_of(settings).answer_settings) and settings.label.max_unparsed < 1


def _refuse(settings: RunSettings, what: str, unparsed: Sequence[str], num_graded: int) -> None:
    if len(unparsed) < _NUM_SHOWN:
        return
    shown = "\n".join(f"  {_ending(text)}" for text in unparsed[:_NUM_SHOWN])
    raise InputError(
        f"label: problems.answer_mark={settings.problems.answer_mark} finds no answer in "
        f"{len(unparsed):,} of {num_graded:,} {what}, expected one in all but "
        f"{settings.label.max_unparsed:.0%} (label.max_unparsed), as each without one would be "
        f"labelled a failure. Three of them end so:\n{shown}\n"
        f"Set {domain_of(settings).answer_settings} to how these answers are marked, or "
        "label.max_unparsed=1 to take them for failures"
    )


def _ending(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"...{text[-_LONGEST_SHOWN:]}")
