from pav.models.records import Extend, Prefix
from pav.models.search.arms import Arm, SearchOptions
from pav.models.search.beam import beam
from pav.models.search.memory import Memory, remembered
from pav.models.search.results import Sampling

CHILDREN = {(): ["a\n", "b\n", "c\n"], ("a\n",): ["x", "y"], ("b\n",): ["z"], ("c\n",): ["w"]}
Q = {
    (): 0.3, ("a\n",): 0.5, ("b\n",): 0.4, ("c\n",): 0.1, ("a\n", "x"): 0.55, ("a\n", "y"): 0.2,
    ("b\n", "z"): 0.9, ("c\n", "w"): 0.8,
}  # fmt: skip
OPTIONS = SearchOptions(
    beam_width=2, max_steps=0, likelihood_weight=0.2, prover_value="formula", per_token=False
)


def searches(counts):
    return [
        beam(
            Prefix("p"),
            arm=Arm("beam", "pav", "bo2", count, alpha, "q_last"),
            sampling=Sampling("base", 0, 99),
            options=OPTIONS,
        )
        for count in counts
        for alpha in (0.0, 1.0)
    ]


def test_searches_with_a_memory_return_what_they_return_without(world, play):
    here = world(CHILDREN, {"q": Q, "orm_all": Q}, is_shuffled=True)
    memory: Memory = {}
    alone = [play(search, here) for search in searches((4, 8, 2))]
    together = [play(remembered(search, memory), here) for search in searches((4, 8, 2))]
    assert together == alone


def test_what_was_sampled_once_is_not_asked_for_again(world, play):
    here = world(CHILDREN, {"q": Q, "orm_all": Q})
    memory: Memory = {}
    for search in searches((4,)):
        play(remembered(search, memory), here)
    extended = [
        prefix for each in here.requests if isinstance(each, Extend) for prefix in each.prefixes
    ]
    assert len(extended) == len(set(extended))


def test_other_seeds_and_more_samples_are_sampled_anew(world, play):
    here = world(CHILDREN, {"q": Q, "orm_all": Q})

    def ask(seed, count):
        [samples] = yield Extend("base", (Prefix("p"),), count, "end", 99, "search", seed)
        return samples

    memory: Memory = {}
    counts = [
        len(play(remembered(ask(*each), memory), here)) for each in [(0, 2), (1, 2), (0, 3), (0, 1)]
    ]
    assert counts == [2, 2, 3, 1]
    assert len(here.requests) == 3
