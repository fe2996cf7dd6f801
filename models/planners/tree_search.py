"""OmegaPRM's tree search: binary searches over a problem's own rollouts, the best-looking first."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from pav.models.planners.binary_search import fresh
from pav.models.planners.blocks import Block, Planner, Rolled, counts
from pav.models.planners.rollouts import Graded, full_response
from pav.models.planners.rules import FIXED
from pav.models.records import Prefix, Verdict


@dataclass(frozen=True, slots=True)
class TreeBudget:
    """Blocks of a node, of a pit's new estimate, and binary searches of a problem at most."""

    blocks: int
    fresh: int
    searches: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Constants of the score Q + U by which a rollout is chosen; published values by default.

    Q = alpha^(1 - MC) beta^(tokens / length), U = c_puct sqrt(sum of visits) / (1 + visits)
    (arXiv 2406.06592, equations 2 and 3).
    """

    alpha: float = 0.5
    beta: float = 0.9
    length: float = 500.0
    c_puct: float = 0.125

    def score(self, node: "Node", num_tokens: int, all_visits: int) -> float:
        """Return Q + U of a wrong rollout of a node."""
        quality: float = self.alpha ** (1 - node.value) * self.beta ** (num_tokens / self.length)
        return quality + self.c_puct * math.sqrt(all_visits) / (1 + node.visits)


@dataclass
class Node:
    """A labelled prefix, how often a search began there, and its wrong rollouts still to search."""

    prefix: Prefix
    value: float
    visits: int = 0
    wrong: list[Graded] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Searched:
    """A wrong response that was searched, as the rollout that gave it, and its first dead prefix.

    `pit` is None where every prefix is alive and the last step alone is wrong.
    """

    response: Prefix
    rollout: Graded
    pit: Prefix | None


def tree_search(root: Prefix, *, budget: TreeBudget, selection: Selection) -> Planner:
    """Search a problem's wrong rollouts for first errors; return a list of Searched.

    A node is alive where one of its rollouts is right; only rollouts of nodes with 0 < MC < 1 are
    searched. Dead nodes end a branch: a later rollout through one begins with that known, and one
    whose error is known by then is dropped unsearched. An empty list says that the bare problem is
    dead, or never wrong.
    """
    tree = Tree(budget.blocks)
    yield from tree.visit(root)
    searched: list[Searched] = []
    while len(searched) < budget.searches and (chosen := tree.select(selection)):
        response = full_response(chosen[0].prefix, chosen[1][0])
        low, high = tree.known(response)
        if high - low == 1:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if (yield from tree.visit(first_steps(response, middle))):
                low = middle
            else:
                high = middle
        pit = first_steps(response, high) if high < len(response.steps) else None
        searched.append(Searched(response, chosen[1], pit))
    pits = {each.pit: None for each in searched if each.pit}
    yield [block for pit in pits for block in fresh(pit, budget.blocks, budget.fresh)]
    return searched


@dataclass
class Tree:
    """The nodes of one problem by prefix, in the order they were visited."""

    num_blocks: int
    nodes: dict[Prefix, Node] = field(default_factory=dict)

    def visit(self, prefix: Prefix) -> Generator[Sequence[Block], Sequence[Rolled], bool]:
        """Make a node of a prefix unless it is one; return whether it is alive."""
        if prefix not in self.nodes:
            rolled = yield [Block(prefix, number, FIXED) for number in range(self.num_blocks)]
            correct, rollouts = counts(rolled)
            node = Node(prefix, correct / rollouts if rollouts else 0.0)
            if 0 < node.value < 1:
                node.wrong = _distinct_wrong(rolled)
            self.nodes[prefix] = node
        return self.nodes[prefix].value > 0

    def select(self, selection: Selection) -> tuple[Node, Graded] | None:
        """Take the wrong rollout with the highest score, the earliest of equals; None if none."""
        all_visits = sum(node.visits for node in self.nodes.values())
        candidates = [(node, graded) for node in self.nodes.values() for graded in node.wrong]
        if not candidates:
            return None
        node, graded = max(
            candidates, key=lambda each: selection.score(each[0], each[1][0].num_tokens, all_visits)
        )
        node.visits += 1
        node.wrong.remove(graded)
        return node, graded

    def known(self, response: Prefix) -> tuple[int, int]:
        """Return the steps of a response up to the last living and the first dead known prefix.

        The end of a wrong response is dead.
        """
        low, high = 0, len(response.steps)
        for num_steps in range(high):
            node = self.nodes.get(first_steps(response, num_steps))
            if node is not None and node.value == 0:
                return low, num_steps
            low = low if node is None else num_steps
        return low, high


def first_steps(response: Prefix, num_steps: int) -> Prefix:
    """Return the open prefix with the first steps of a response."""
    return Prefix(response.problem_id, response.steps[:num_steps])


def _distinct_wrong(rolled: Sequence[Rolled]) -> list[Graded]:
    """Return the finished wrong rollouts, each text once."""
    distinct: dict[tuple[str, ...], Graded] = {}
    for sample, grading in (graded for block in rolled for graded in block):
        if grading.verdict == Verdict.WRONG and sample.finish == "stop":
            distinct.setdefault(sample.steps, (sample, grading))
    return list(distinct.values())
