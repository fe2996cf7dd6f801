"""Weights of samples, by which step ends of all depths count as often as the policy reaches them.

Solutions are sampled from the bare problem, rollouts from prefixes of these solutions: a prefix
that few solutions pass gets as many rollouts as one that most pass. The weight v of a rollout, the
number of solutions through its start, makes up for that. The weights of depth d are divided by how
much is drawn there (`docs/method.md` section 9 has the derivation).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pav.models.records import Prefix

# A prefix by problem and text: its steps follow from the text.
PrefixKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Completion:
    """A distinct full response with the samples that gave it; `start` steps were given to them."""

    problem_id: str
    steps: tuple[str, ...]
    is_finished: bool
    start: int
    num_samples: int
    num_correct: int

    @property
    def key(self) -> tuple[str, str, bool]:
        """What makes two completions the same response."""
        return self.problem_id, "".join(self.steps), self.is_finished

    @property
    def prefix(self) -> Prefix:
        """The response as a prefix."""
        return Prefix(self.problem_id, self.steps, self.is_finished)

    @property
    def started_at(self) -> PrefixKey:
        """The prefix that the samples were drawn from."""
        return self.problem_id, "".join(self.steps[: self.start])

    def passed(self) -> list[PrefixKey]:
        """Return the prefixes from the start on that the response goes on from, the start first.

        The last step ends the response: its end has a verdict and is no prefix to continue.
        """
        text = "".join(self.steps[: self.start])
        keys = [(self.problem_id, text)]
        for step in self.steps[self.start : -1]:
            text += step
            keys.append((self.problem_id, text))
        return keys


@dataclass(frozen=True)
class SamplingMeasure:
    """The weights of solutions and rollouts.

    Attributes:
        visits: how many solutions pass through each prefix.
        mean_visits: the mean visits of a rollout's start, by the start's number of steps.
        rollouts_per_visit: rollouts drawn for each solution that passes, by the start's steps.
    """

    visits: Mapping[PrefixKey, int]
    mean_visits: Mapping[int, float]
    rollouts_per_visit: Mapping[int, float]

    def weighted(self, rollouts: Iterable[Completion]) -> list[tuple[Completion, float]]:
        """Return rollouts with the weight of one sample: 1 on average at each depth of the start.

        That is the weight of a solution.
        """
        return [
            (each, _visits(self.visits, each) / self.mean_visits[each.start]) for each in rollouts
        ]

    def drawn_at(self, num_steps: int) -> float:
        """Return the weight of the rollouts from prefixes of so many steps, for each solution."""
        return self.rollouts_per_visit.get(num_steps, 0.0)

    def drawn_until(self, num_steps: int) -> float:
        """Return the weight of all rollouts that so many steps can belong to, for each solution."""
        return sum(self.drawn_at(start) for start in range(num_steps + 1))


def sampling_measure(
    solutions: Iterable[Completion], rollouts: Iterable[Completion]
) -> SamplingMeasure:
    """Return the weights of the rollouts from prefixes of some solutions."""
    visits: Counter[PrefixKey] = Counter()
    for solution in solutions:
        visits.update(dict.fromkeys(solution.passed(), solution.num_samples))
    starts: dict[int, dict[PrefixKey, int]] = defaultdict(dict)
    drawn: Counter[int] = Counter()
    visited: Counter[int] = Counter()
    for rollout in rollouts:
        through = _visits(visits, rollout)
        starts[rollout.start][rollout.started_at] = through
        drawn[rollout.start] += rollout.num_samples
        visited[rollout.start] += rollout.num_samples * through
    return SamplingMeasure(
        visits,
        {start: visited[start] / drawn[start] for start in starts},
        {start: drawn[start] / sum(own.values()) for start, own in starts.items()},
    )


def _visits(visits: Mapping[PrefixKey, int], rollout: Completion) -> int:
    """Return how many solutions pass the start, at least 1.

    A prefix that a search made itself, or the open end of a solution that was cut off, has none.
    """
    return max(visits.get(rollout.started_at, 0), 1)
