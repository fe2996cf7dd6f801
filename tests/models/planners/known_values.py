"""A policy of two steps and an answer whose values are known, and what planners draw of it."""

import random
from collections import defaultdict

import numpy as np

from pav.models.labels.allocation import Budget, spend_budget
from pav.models.labels.sampling_measure import Completion
from pav.models.labels.sequential import SequentialRule
from pav.models.planners.adaptive import adaptive, adaptive_walk
from pav.models.planners.binary_search import binary_search
from pav.models.planners.blocks import Block, OpenSolution, counts, label_problem
from pav.models.planners.exhaustive import exhaustive
from pav.models.planners.first_pit import PitBudget, first_pit
from pav.models.planners.rules import ALLOCATED, FIXED
from pav.models.planners.tree_search import Selection, TreeBudget, tree_search
from pav.models.records import Extend, Grade, Grading, Prefix, Sample, Verdict

Steps = tuple[str, ...]

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


def drawn(policy, planners):
    """Return what the planners of one problem draw, as blocks with their rollouts."""
    algorithm = label_problem(planners, policy="p", block_size=BLOCK, seed=0, max_tokens=9)
    reply = None
    while True:
        try:
            reply = policy.answer(algorithm.send(reply))
        except StopIteration as stop:
            return list(stop.value.blocks())


def completions(blocks):
    """Return the rollouts of blocks with the steps they started from."""
    return [
        completion(block.prefix.problem_id, block.prefix.steps + each.steps,
                   len(block.prefix.steps))
        for block, rolled in blocks for each, _ in rolled
    ]  # fmt: skip


def all_prefixes(solutions):
    """Return planners that roll out every prefix alike."""
    return [exhaustive(each.prefixes, range(4)) for each in solutions]


def labelled(planners_of, *, problems, solutions, seed):
    """Return solutions and blocks of many problems; `planners_of` makes the planners of one."""
    policy, seeds, blocks = Policy(seed), [], []
    for number in range(problems):
        own, open_ones = sampled(policy, f"p{number}", solutions)
        seeds += own
        blocks += drawn(policy, planners_of(open_ones))
    return seeds, blocks


def labelled_by_budget(*, problems, solutions, seed, each, most, rounds):
    """Return solutions and blocks where a common budget of `each` rollouts a prefix is spent."""
    policy, seeds, prefixes, blocks = Policy(seed), [], [], []
    for number in range(problems):
        own, open_ones = sampled(policy, f"p{number}", solutions)
        seeds += own
        prefixes += sorted({prefix for one in open_ones for prefix in one.prefixes},
                           key=lambda prefix: prefix.steps)  # fmt: skip

    def draw(drawn_blocks, taken):
        right = np.zeros_like(taken)
        for row, prefix in enumerate(prefixes):
            for number in range(drawn_blocks[row], drawn_blocks[row] + taken[row]):
                steps = [policy.sample(prefix.steps) for _ in range(BLOCK)]
                gradings = policy.answer(Grade(tuple(Prefix("", each) for each in steps)))
                rolled = [(Sample(each, "stop", 3), one)
                          for each, one in zip(steps, gradings, strict=True)]  # fmt: skip
                blocks.append((Block(prefix, int(number), ALLOCATED if number else FIXED), rolled))
                right[row] += counts([rolled])[0]
        return right

    kinds = np.array([len(prefix.steps) for prefix in prefixes], dtype=np.int64)
    spend_budget(kinds, Budget(each * len(prefixes), BLOCK, rounds), most=most, draw=draw)
    return seeds, blocks


WIDTH = SequentialRule(2, 0.4, 0.0, 0.95, 16)
UNTIL_RIGHT = SequentialRule(2, 0.0, 0.2, 0.95, 16, until_right=True)
PITS = PitBudget(pilot=2, walk=2, estimate=4, pit=4)
PLANNERS = {
    "exhaustive": all_prefixes,
    "first_pit": lambda found: [first_pit(each, high_value=0.0, budget=PITS) for each in found],
    "first_pit above a share": lambda found: [
        first_pit(each, high_value=0.3, budget=PITS) for each in found
    ],
    "binary_search": lambda found: [
        binary_search(each, num_blocks=3, fresh_blocks=4) for each in found
    ],
    "tree_search": lambda found: [
        tree_search(found[0].prefixes[0], budget=TreeBudget(3, 4, 4), selection=Selection())
    ],
    "adaptive by width": lambda found: [adaptive(each, WIDTH) for each in found],
    "adaptive first_error": lambda found: [adaptive_walk(each, UNTIL_RIGHT) for each in found],
    "budget": None,
}


def labels_of(planner, **sizes):
    """Return solutions and blocks of many problems by the name of a planner."""
    build = PLANNERS[planner]
    if build is None:
        return labelled_by_budget(each=8, most=32, rounds=4, **sizes)
    return labelled(build, **sizes)


def residuals(sequences, values):
    """Return for each open prefix's steps the residual sums w (target - value) of all problems.

    Their sum is 0 where the value is the intercept-only minimiser of the loss. Alongside: the sum
    of weights.
    """
    sums: dict[Steps, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    weights: dict[Steps, float] = defaultdict(float)
    for sequence in sequences:
        for end in range(len(sequence.prefix.steps)):
            steps = sequence.prefix.steps[:end]
            weight = float(sequence.weights[end, 0])
            error = float(sequence.targets[end, 0]) - values[steps]
            sums[steps][sequence.prefix.problem_id] += weight * error
            weights[steps] += weight
    return {steps: np.array(list(own.values())) for steps, own in sums.items()}, weights
