from math import log, prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.records import Extend, Prefix, Sample
from pav.models.search.arms import Arm, SearchOptions, final_picks, prover
from pav.models.search.beam import beam, beam_paper
from pav.models.search.best_of_n import best_of_n
from pav.models.search.results import Sampling

Steps = tuple[str, ...]
SAMPLING = Sampling("base", seed=0, max_tokens=1000)


def options(**values):
    defaults: dict[str, Any] = {"beam_width": 0, "max_steps": 0, "likelihood_weight": 0.5,
                "prover_value": "formula", "per_token": False}  # fmt: skip
    return SearchOptions(**(defaults | values))


def pav(num_samples, prover="", alpha=0.0):
    return Arm("beam", "pav", prover, num_samples, alpha, "q_last")


def searched(arm, sampling=SAMPLING, **values):
    return beam(Prefix("p"), arm=arm, sampling=sampling, options=options(**values))


def searched_as_paper(arm, **more):
    return beam_paper(Prefix("p"), arm=arm, sampling=SAMPLING, options=options(), **more)


PICKS = final_picks(options())


@st.composite
def trees(draw):
    """A random tree of up to three levels, scores on a grid of 1/64, and its right responses."""
    children: dict[Steps, list[str]] = {}
    leaves: list[Steps] = []
    level: list[Steps] = [()]
    for depth in range(3):
        next_level = []
        for steps in level:
            count = draw(st.integers(1, 4))
            ends = [depth == 2 or draw(st.integers(0, 4)) == 0 for _ in range(count)]
            texts = [f"{depth}{i}" + ("" if end else "\n") for i, end in enumerate(ends)]
            children[steps] = texts
            grown = [((*steps, text), end) for text, end in zip(texts, ends, strict=True)]
            next_level += [node for node, end in grown if not end]
            leaves += [node for node, end in grown if end]
        level = next_level
    nodes = [*children, *leaves]
    grid = st.integers(0, 64).map(lambda score: score / 64)
    values = {
        role: dict(
            zip(nodes, draw(st.lists(grid, min_size=len(nodes), max_size=len(nodes))), strict=True)
        )
        for role in ("q", "q_weak", "orm_all")
    }
    right = frozenset("".join(leaf) for leaf in leaves if draw(st.booleans()))
    return children, values, right


def reference(here, *, num_samples, width, alpha, mu, k=1):
    """Ten lines of beam search straight on the tree; returns what ever finished and the picks."""
    q, f = (
        here.values["q"],
        lambda s: 1 - (1 - here.values[mu][s]) ** k if k > 1 else here.values[mu][s],
    )
    beams: list[tuple[float, Steps]] = [(0.0, ())]
    ended: list[tuple[float, Steps]] = []
    while any(not s or s[-1].endswith("\n") for _, s in beams):
        opened = [s for _, s in beams if not s or s[-1].endswith("\n")]
        pool = [b for b in beams if b[1] and not b[1][-1].endswith("\n")]
        each = max(num_samples // len(opened), 1)
        new = dict.fromkeys((*s, here.child(s, i)) for s in opened for i in range(each))
        ranked = [(q[s] + alpha * (f(s) - f(s[:-1])), s) for s in new]
        ended += [b for b in ranked if not b[1][-1].endswith("\n")]
        beams = sorted(pool + ranked, key=lambda b: -b[0])[:width]
    kept = [s for _, s in sorted(ended, key=lambda b: -b[0])]
    products = [prod(q[s[: h + 1]] for h in range(len(s))) for s in kept]
    last = max(kept, key=lambda s: q[s])
    return kept, {
        "q_last": last,
        "q_product": kept[products.index(max(products))],
        "orm": max(kept, key=lambda s: here.values["orm_all"][s]),
        "q_likely": max(kept, key=lambda s: log(max(q[s], 1e-12)) + 0.5 * here.log_prob(s)),
        "orm_likely": max(
            kept,
            key=lambda s: log(max(here.values["orm_all"][s], 1e-12)) + 0.5 * here.log_prob(s),
        ),
    }


@pytest.mark.parametrize("name", ["bo4", "weak", ""])
@given(tree=trees(), num_samples=st.integers(1, 20), alpha=st.sampled_from([0.0, 0.5, 3.0]))
@settings(max_examples=40, deadline=None)
def test_a_beam_equals_the_ten_line_reference(world, play, name, tree, num_samples, alpha):
    here = world(*tree, is_shuffled=True)
    result = play(searched(pav(num_samples, name, alpha)), here)
    width, mu = max(num_samples // 4, 1), prover(name, options())
    kept, picked = reference(
        here, num_samples=num_samples, width=width, alpha=alpha, mu=mu.verifier, k=mu.k
    )
    assert [response.steps for response in result.responses] == kept
    assert {name: result.responses[index].steps for name, index in result.picks.items()} == picked
    assert result.is_any_correct == any("".join(steps) in tree[2] for steps in kept)


@given(tree=trees(), num_samples=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_alpha_zero_is_the_beam_on_q_bit_for_bit(world, play, tree, num_samples):
    results = [
        play(searched(pav(num_samples, name)), world(*tree, is_shuffled=True))
        for name in ("", "bo4", "weak")
    ]
    assert len({(result.responses, tuple(result.picks.items())) for result in results}) == 1


@given(tree=trees(), k=st.integers(1, 32), alpha=st.floats(0, 5), num_samples=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_width_one_chooses_alike_for_every_formula_prover(world, play, tree, k, alpha, num_samples):
    results = [
        play(searched(arm, beam_width=1), world(*tree, is_shuffled=True)).responses
        for arm in (pav(num_samples), pav(num_samples, f"bo{k}", alpha))
    ]
    # The same way is gone. What ended beside it stands in the order of rewards, which differ.
    assert set(results[0]) == set(results[1])
    assert len(results[0]) == len(results[1])


@given(tree=trees(), num_samples=st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_a_beam_over_one_step_solutions_is_best_of_n(world, play, tree, num_samples):
    texts = [text.rstrip() for text in tree[0][()]]
    values = {
        role: {(): 0.5, **{(t,): v for t, v in zip(texts, tree[1][role].values(), strict=False)}}
        for role in tree[1]
    }
    here = world({(): texts}, values, is_shuffled=True)
    by_steps = play(searched(pav(num_samples)), here)
    drawn = play(
        best_of_n(
            Prefix("p"),
            sampling=SAMPLING,
            num_samples=(num_samples,),
            rules=PICKS,
            answer_key=lambda _: None,
        ),
        here,
    )[num_samples]
    assert by_steps.text("q_last") == drawn.text("q_last")
    assert by_steps.cost.generated_tokens == drawn.cost.generated_tokens


def test_steps_of_different_parents_compete_across_parents_only_with_progress(world, play):
    # "a" is the better place, "b" the better progress: .5 -> .55 against .1 -> .5
    children = {(): ["a\n", "b\n"], ("a\n",): ["x"], ("b\n",): ["y"]}
    q = {(): 0.3, ("a\n",): 0.5, ("b\n",): 0.1, ("a\n", "x"): 0.55, ("b\n", "y"): 0.5}
    here = world(children, {"q": q, "orm_all": q}, right=frozenset({"b\ny"}))
    kept = {
        alpha: play(searched_as_paper(pav(2, "bo1", alpha), num_each=1), here).responses[0].text
        for alpha in (0.0, 1.0)
    }
    assert kept == {0.0: "a\nx", 1.0: "b\ny"}


def test_the_paper_samples_width_times_three_from_the_root_and_three_of_each_beam(world, play):
    children = {(): ["a\n", "b\n"], ("a\n",): ["x"], ("b\n",): ["y"]}
    q = {(): 0.3, ("a\n",): 0.5, ("b\n",): 0.1, ("a\n", "x"): 0.5, ("b\n", "y"): 0.4}
    here = world(children, {"q": q, "orm_all": q})
    result = play(searched_as_paper(pav(2)), here)
    extends = [request for request in here.requests if isinstance(request, Extend)]
    assert [(len(each.prefixes), each.num_samples) for each in extends] == [(1, 6), (2, 3)]
    assert result.cost.num_candidates == 12


def test_cost_counts_discarded_candidates_and_each_verifier(world, play):
    children = {(): ["a\n", "bb\n"], ("a\n",): ["x"]}
    q = {(): 0.3, ("a\n",): 0.5, ("bb\n",): 0.1, ("a\n", "x"): 0.5}
    here = world(children, {"q": q, "q_weak": q, "orm_all": q})
    result = play(searched(pav(4, "weak", 0.5)), here)
    # step 1 samples "a\n" and "bb\n" twice each, step 2 "x" four times
    assert (result.cost.num_candidates, result.cost.generated_tokens) == (8, 14)
    assert result.cost.scored == {"q": (3, 8), "q_weak": (3, 8), "orm_all": (1, 3)}


def test_a_finished_beam_leaves_only_for_better_ones(world, play):
    # "end" (.6) keeps its place beside "a" (.7), so that "b" (.5) never gets one
    children = {(): ["end", "a\n", "b\n"], ("a\n",): ["x"], ("b\n",): ["z"]}
    q = {(): 0.3, ("end",): 0.6, ("a\n",): 0.7, ("b\n",): 0.5, ("a\n", "x"): 0.9}
    here = world(children, {"q": q, "orm_all": q})
    result = play(searched(pav(3), beam_width=2), here)
    assert [each.text for each in result.responses] == ["a\nx", "end"]


def test_an_answer_that_was_displaced_is_not_forgotten(world, play):
    # The right answer (.95) loses its place to an open beam (.96) that never ends.
    children = {(): ["right", "a\n"]} | {("a\n",) * depth: ["a\n"] for depth in range(1, 30)}
    q = {("a\n",) * depth: 0.96 for depth in range(31)} | {("right",): 0.95}
    here = world(children, {"q": q, "orm_all": q}, right=frozenset({"right"}))
    result = play(searched(pav(2), Sampling("base", 0, 30), beam_width=1), here)
    assert (result.text("q_last"), result.is_correct("q_last")) == ("right", True)


def test_a_finished_candidate_that_wins_no_place_is_seen_by_the_pick(world, play):
    # Both finish in the last step, one place is left: the pick takes what the guide does not.
    children = {(): ["x", "y"]}
    q, orm = {(): 0.3, ("x",): 0.6, ("y",): 0.5}, {(): 0.3, ("x",): 0.1, ("y",): 0.9}
    here = world(children, {"q": q, "orm_all": orm}, right=frozenset({"y"}))
    result = play(searched(pav(2), beam_width=1), here)
    assert (result.text("q_last"), result.text("orm")) == ("x", "y")
    assert result.is_any_correct


def test_a_right_solution_of_seventeen_lines_is_found_by_beams_as_by_best_of_n(world, play):
    steps = (*(f"line {number}\n" for number in range(16)), "#### 42")
    children = {steps[:depth]: [steps[depth]] for depth in range(17)}
    q = {steps[:depth]: 0.5 for depth in range(18)}
    here = world(children, {"q": q, "orm_all": q}, right=frozenset({"".join(steps)}))
    by_steps = play(searched(pav(16)), here)
    drawn = best_of_n(
        Prefix("p"), sampling=SAMPLING, num_samples=(16,), rules=PICKS, answer_key=lambda _: None
    )
    assert play(drawn, here)[16].is_correct("orm")
    assert by_steps.is_correct("orm")
    assert by_steps.num_cut_off == 0


@pytest.mark.parametrize(("limit", "texts"), [(5, ["a\nxyz"]), (4, [])])
def test_an_answer_may_be_as_long_as_the_limit_and_no_longer(world, play, limit, texts):
    # "a\n" and "xyz" are two and three tokens
    children = {(): ["a\n"], ("a\n",): ["xyz"]}
    q = {(): 0.3, ("a\n",): 0.5, ("a\n", "xyz"): 0.6}
    here = world(children, {"q": q, "orm_all": q})
    result = play(searched(pav(2), Sampling("base", 0, limit)), here)
    assert [each.text for each in result.responses] == texts


def test_a_search_whose_every_step_is_cut_off_has_no_answer(play):
    class CutOff:
        def answer(self, request):
            return tuple(
                (Sample(("a",), "length", 5),) * request.num_samples for _ in request.prefixes
            )

    result = play(searched(pav(4)), CutOff())
    assert (result.is_correct("orm"), result.is_any_correct) == (False, False)
    assert result.cost.generated_tokens == 20


def test_a_policy_that_never_stops_ends_at_the_bound_of_steps_or_tokens(world, play):
    endless = {("a\n",) * depth: ["a\n"] for depth in range(60)}
    q = dict.fromkeys([*endless, ("a\n",) * 60], 0.5)
    # a step is two tokens; beams without a token left for another step are no beams any more
    cases = [(5, 1000, 5, 1), (0, 7, 4, 0), (0, 100, 50, 0)]
    for max_steps, limit, steps, num_cut_off in cases:
        here = world(endless, {"q": q})
        sampling = Sampling("base", 0, limit)
        result = play(searched(pav(1), sampling, max_steps=max_steps), here)
        assert (result.picks, result.num_cut_off) == ({}, num_cut_off)
        assert sum(isinstance(request, Extend) for request in here.requests) == steps
