"""A problem whose prefixes have listed counts, played by the real algorithm."""

from dataclasses import dataclass, field

import pytest

from pav.models.planners.blocks import label_problem
from pav.models.records import Extend, Grade, Grading, Sample, Verdict


@dataclass
class Dice:
    """A policy whose rollouts of each prefix come out as listed, block after block.

    `outcomes[steps]` is a text of 1 (right) and 0, one per rollout, over all blocks; what is not
    listed is 0. A rollout is one step named after its place, so that all are distinct.
    """

    outcomes: dict[tuple[str, ...], str]
    block_size: int
    asked: list[tuple[tuple[str, ...], int]] = field(default_factory=list)

    def answer(self, request):
        if isinstance(request, Extend):
            assert request.num_samples == self.block_size
            keys = [
                (prefix.steps, block)
                for prefix, block in zip(request.prefixes, request.blocks, strict=True)
            ]
            self.asked += keys
            return tuple(self._block(*key) for key in keys)
        assert isinstance(request, Grade)
        return tuple(
            Grading(Verdict.CORRECT if each.steps[-1].endswith("1") else Verdict.WRONG)
            for each in request.responses
        )

    def _block(self, steps, number):
        first = number * self.block_size
        outcomes = self.outcomes.get(steps, "").ljust(first + self.block_size, "0")
        return tuple(
            Sample((f"end {place} {outcomes[place]}",), "stop", 3)
            for place in range(first, first + self.block_size)
        )


@pytest.fixture
def dice():
    """The Dice class: listed outcomes."""
    return Dice


@pytest.fixture
def labelled(play):
    """Run planners on listed outcomes; return (rules by steps and block, what each returned)."""

    def run(planners, here):
        labels = play(
            label_problem(planners, policy="base", block_size=here.block_size, seed=0,
                          max_tokens=99),
            here,
        )  # fmt: skip
        rules = {(block.prefix.steps, block.number): block.rule for block, _ in labels.blocks()}
        return rules, labels.returned

    return run
