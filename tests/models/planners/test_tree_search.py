from pav.models.planners.blocks import label_problem
from pav.models.planners.tree_search import Node, Selection, TreeBudget, tree_search
from pav.models.records import Prefix

PUBLISHED = Selection()


def search(world, play, *, searches, tree, right):
    here = world(tree, right=frozenset(right))
    planner = tree_search(
        Prefix("p"), budget=TreeBudget(blocks=1, fresh=1, searches=searches), selection=PUBLISHED
    )
    algorithm = label_problem([planner], policy="b", block_size=2, seed=0, max_tokens=99)
    labels = play(algorithm, here)
    rules = {(block.prefix.text, block.number): block.rule for block, _ in labels.blocks()}
    return rules, labels.returned[0]


# Sample i takes child i: rollout 0 goes a, c, x (wrong), rollout 1 goes b, z (right).
TREE = {
    (): ["a\n", "b\n"], ("a\n",): ["c\n", "d\n"], ("b\n",): ["z"], ("a\n", "c\n"): ["x", "y"],
    ("a\n", "d\n"): ["w", "v"],
}  # fmt: skip


def test_the_error_of_a_wrong_rollout_is_found_and_its_prefixes_become_nodes(world, play):
    # a is alive by d, v; ac is dead by x and y.
    rules, [found] = search(world, play, searches=1, tree=TREE, right=["b\nz", "a\nd\nv"])
    assert found.response.text == "a\nc\nx"
    assert found.pit.text == "a\nc\n"
    assert rules == {("", 0): "fixed", ("a\n", 0): "fixed", ("a\nc\n", 0): "fixed",
                     ("a\nc\n", 1): "fresh"}  # fmt: skip


def test_a_rollout_through_a_known_dead_prefix_is_not_searched_again(world, play):
    # After that search the node a holds the wrong rollout c, x as well, whose pit is known by then.
    _, found = search(world, play, searches=9, tree=TREE, right=["b\nz", "a\nd\nv"])
    assert [each.response.text for each in found] == ["a\nc\nx"]


def test_a_problem_that_is_dead_or_never_wrong_yields_an_empty_list(world, play):
    assert search(world, play, searches=9, tree=TREE, right=[]) == ({("", 0): "fixed"}, [])
    everything = ["a\nc\nx", "b\nz"]
    assert search(world, play, searches=9, tree=TREE, right=everything)[1] == []


def test_rollouts_of_high_value_short_and_rarely_visited_come_first():
    high, low = Node(Prefix("p"), 0.75), Node(Prefix("p"), 0.25)
    # .5^.25 = .8409, .5^.75 = .5946; 500 tokens cost a factor .9; U = .125 * 2 / (1 + visits).
    assert round(PUBLISHED.score(high, 0, 0), 4) == 0.8409
    assert round(PUBLISHED.score(low, 500, 0), 4) == round(0.5946 * 0.9, 4)
    assert round(PUBLISHED.score(high, 0, 4) - PUBLISHED.score(high, 0, 0), 4) == 0.25
    high.visits = 1
    assert round(PUBLISHED.score(high, 0, 4) - PUBLISHED.score(high, 0, 0), 4) == 0.125
