"""A scripted world for algorithms: a tree of steps as policy, dicts as verifiers, a player."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from pav.models.hashing import stream_key
from pav.models.records import Extend, Grade, Grading, Prefix, Sample, Score, Verdict

Steps = tuple[str, ...]


@dataclass
class World:
    """Children of each prefix (a step without a newline ends the response), values by verifier.

    Sample i of a prefix takes child `order` says, else i modulo the number of children.
    """

    children: Mapping[Steps, Sequence[str]]
    values: Mapping[str, Mapping[Steps, float]] = field(default_factory=dict)
    right: frozenset[str] = frozenset()
    is_shuffled: bool = False
    requests: list[object] = field(default_factory=list)

    def child(self, steps: Steps, sample: int) -> str:
        choices = self.children[steps]
        key = stream_key(*steps, sample) if self.is_shuffled else sample
        return choices[key % len(choices)]

    def sample(self, prefix: Prefix, index: int, until: str) -> Sample:
        steps: Steps = ()
        while True:
            steps += (self.child(prefix.steps + steps, index),)
            is_open = steps[-1].endswith("\n")
            if until == "step" or not is_open:
                finish = "step" if is_open else "stop"
                return Sample(steps, finish, sum(map(len, steps)))

    def answer(self, request):
        self.requests.append(request)
        if isinstance(request, Extend):
            return tuple(
                tuple(self.sample(prefix, i, request.until) for i in range(request.num_samples))
                for prefix in request.prefixes
            )
        if isinstance(request, Score):
            values = self.values[request.verifier]
            return tuple(
                tuple(values[prefix.steps[:h]] for h in range(len(prefix.steps) + 1))
                for prefix in request.prefixes
            )
        if isinstance(request, Grade):
            return tuple(
                Grading(Verdict.CORRECT if each.text in self.right else Verdict.WRONG)
                for each in request.responses
            )
        raise TypeError(f"no reply scripted for {request!r}")


@pytest.fixture(scope="session")
def world():
    """The World class: a scripted policy with verifiers and a grader."""
    return World


@pytest.fixture(scope="session")
def play():
    """A function that runs one algorithm against a World and returns its result."""

    def run(algorithm, answers):
        reply = None
        while True:
            try:
                request = algorithm.send(reply)
            except StopIteration as stop:
                return stop.value
            reply = answers.answer(request)

    return run
