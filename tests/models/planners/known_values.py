"""A policy of two steps and an answer whose values are known, and what planners draw of it."""

import random
from collections import defaultdict

import numpy as np

from pav.models.allocation import Budget, spend_budget
from pav.models.planners.blocks import OpenSolution, label_problem
from pav.models.planners.exhaustive import exhaustive
from pav.models.records import Extend, Grading, Prefix, Sample, Verdict
from pav.models.sampling_measure import Completion

NEXT = {(): {"a\n": 0.5, "b\n": 0.5}, ("a\n",): {"c\n": 0.7, "d\n": 0.3}, ("b\n",): {"c\n": 1.0}}
RIGHT = {("a\n", "c\n"): 0.05, ("a\n", "d\n"): 0.6, ("b\n", "c\n"): 0.12}
# Wrong answers have many forms, right ones a single one.
WRONG = ("u", "v", "w", "x", "y", "z")


def value(steps):
    """The chance that a response with these first steps is right."""
    if steps in RIGHT:
        return RIGHT[steps]
    return sum(chance * value((*steps, step)) for step, chance in NEXT[steps].items())


VALUES = {steps: value(steps) for steps in (*NEXT, *RIGHT)}
BLOCK = 2


class Policy:
    """Samples responses, by a seed."""

    def __init__(self, seed):
        self._random = random.Random(seed)

    def sample(self, steps=()):
        """Return the steps that complete a response."""
        added = ()
        while (*steps, *added) in NEXT:
            names, chances = zip(*NEXT[*steps, *added].items(), strict=True)
            added += tuple(self._random.choices(names, chances))
        is_right = self._random.random() < RIGHT[*steps, *added]
        return (*added, "right" if is_right else self._random.choice(WRONG))

    def answer(self, request):
        """Return the reply to a request of an algorithm."""
        if isinstance(request, Extend):
            return [
                [Sample(self.sample(prefix.steps), "stop", 3) for _ in range(request.num_samples)]
                for prefix in request.prefixes
            ]
        return [
            Grading(Verdict.CORRECT if each.steps[-1] == "right" else Verdict.WRONG)
            for each in request.responses
        ]


def completion(problem_id, steps, start=0):
    return Completion(problem_id, steps, True, start, 1, int(steps[-1] == "right"))


def sampled(policy, problem_id, number):
    """Return solutions of a problem as completions, and as planners see the distinct ones."""
    responses = [policy.sample() for _ in range(number)]
    seen = {
        OpenSolution(
            tuple(Prefix(problem_id, steps[:end]) for end in range(len(steps))),
            steps[-1] == "right",
        )
        for steps in sorted(set(responses))
    }
    by_text = sorted(seen, key=lambda each: (each.prefixes[-1].steps, each.is_correct))
    return [completion(problem_id, steps) for steps in responses], by_text


def drawn(policy, problem_id, planners):
    """Return what the planners of one problem draw, as completions."""
    algorithm = label_problem(planners, policy="p", block_size=BLOCK, seed=0, max_tokens=9)
    reply = None
    while True:
        try:
            reply = policy.answer(algorithm.send(reply))
        except StopIteration as stop:
            return [
                completion(problem_id, block.prefix.steps + each.steps, len(block.prefix.steps))
                for block, rolled in stop.value.blocks()
                for each, _ in rolled
            ]


def all_prefixes(solutions):
    """Return planners that roll out every prefix alike."""
    return [exhaustive(each.prefixes, range(4)) for each in solutions]


def labelled(planners_of, *, problems, solutions, seed):
    """Return solutions and rollouts of many problems; `planners_of` makes the planners of one."""
    policy, seeds, rollouts = Policy(seed), [], []
    for number in range(problems):
        name = f"p{number}"
        own, open_ones = sampled(policy, name, solutions)
        seeds += own
        rollouts += drawn(policy, name, planners_of(open_ones))
    return seeds, rollouts


def labelled_by_budget(rounds, *, problems, solutions, seed, each, most):
    """Return solutions and rollouts where a common budget of `each` rollouts a prefix is spent."""
    policy, seeds, prefixes = Policy(seed), [], []
    for number in range(problems):
        own, open_ones = sampled(policy, f"p{number}", solutions)
        seeds += own
        prefixes += sorted({prefix for one in open_ones for prefix in one.prefixes},
                           key=lambda prefix: prefix.steps)  # fmt: skip
    rollouts = []

    def draw(blocks, taken):
        right = []
        for prefix, count in zip(prefixes, taken.tolist(), strict=True):
            new = [
                completion(prefix.problem_id, prefix.steps + policy.sample(prefix.steps),
                           len(prefix.steps))
                for _ in range(count * BLOCK)
            ]  # fmt: skip
            rollouts.extend(new)
            right.append(sum(one.num_correct for one in new))
        return np.array(right, dtype=np.int64)

    kinds = np.array([len(prefix.steps) for prefix in prefixes], dtype=np.int64)
    spend_budget(kinds, Budget(each * len(prefixes), BLOCK, rounds), most=most, draw=draw)
    return seeds, rollouts


def residuals(sequences, values):
    """Return for each open prefix's steps the residual sums w (target - value) of all problems.

    Their sum is 0 where the value is the intercept-only minimiser of the loss. Alongside: the sum
    of weights.
    """
    sums, weights = defaultdict(lambda: defaultdict(float)), defaultdict(float)
    for sequence in sequences:
        for end in range(len(sequence.prefix.steps)):
            steps = sequence.prefix.steps[:end]
            weight = float(sequence.weights[end, 0])
            error = float(sequence.targets[end, 0]) - values[steps]
            sums[steps][sequence.prefix.problem_id] += weight * error
            weights[steps] += weight
    return {steps: np.array(list(own.values())) for steps, own in sums.items()}, weights
