"""Planners where hardly anything was drawn."""

import numpy as np
import pytest

from pav.models.planners.blocks import Block
from pav.models.planners.exhaustive import exhaustive
from pav.models.planners.replay import Pool, replay
from pav.models.planners.tree_search import Tree
from pav.models.records import Grading, Prefix, Sample, Verdict


def test_one_wrong_rollout_is_enough_for_a_first_dead_prefix(solution):
    prefixes = tuple(solution("abx").prefixes)
    pool = Pool(prefixes, np.array([[1], [0], [0]], dtype=np.int64), 1)
    played = replay(pool, [exhaustive(prefixes, (0,))])
    assert played.first_dead([solution("abx")]) == [1]


def test_a_prefix_whose_rollouts_all_failed_is_not_alive():
    visit = Tree(num_blocks=1).visit(Prefix("p"))
    assert [block.prefix for block in next(visit)] == [Prefix("p")]
    failed = [(Sample(("x",), "stop", 1), Grading(Verdict.FAILED))]
    with pytest.raises(StopIteration) as end:
        visit.send([failed])
    assert end.value.value is False


def test_blocks_of_a_visit_are_as_many_as_asked_for():
    asked = next(Tree(num_blocks=3).visit(Prefix("p")))
    assert [(type(each), each.number) for each in asked] == [(Block, 0), (Block, 1), (Block, 2)]
