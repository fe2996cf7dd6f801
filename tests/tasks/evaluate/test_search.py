from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from pav.models.labels.budget import total_cost
from pav.models.records import Prefix
from pav.models.search.arms import FINAL_PICKS, Arm, SearchOptions
from pav.models.search.beam import beam
from pav.models.search.results import Sampling
from pav.tasks.evaluate.plan import SearchWork
from pav.tasks.evaluate.search import search
from pav.tasks.store.datasets import frame, to_parquet

CHILDREN = {(): ["a\n", "bb\n"], ("a\n",): ["x", "y"], ("bb\n",): ["z"]}
PREFIXES = [(), ("a\n",), ("bb\n",), ("a\n", "x"), ("a\n", "y"), ("bb\n", "z")]
VALUES = {
    "q": dict(zip(PREFIXES, (0.3, 0.6, 0.5, 0.2, 0.7, 0.8), strict=True)),
    "q_weak": dict(zip(PREFIXES, (0.1, 0.2, 0.4, 0.2, 0.1, 0.9), strict=True)),
    "orm_all": dict(zip(PREFIXES, (0.5, 0.5, 0.5, 0.1, 0.9, 0.4), strict=True)),
    "orm_seed": dict(zip(PREFIXES, (0.5, 0.5, 0.5, 0.8, 0.1, 0.2), strict=True)),
}
NAMES = ("p", "r")
PROMPT_TOKENS = 5


class ScriptedDriver:
    """Advances each algorithm against the scripted world; a prompt is five tokens."""

    problems = dict.fromkeys(NAMES)
    # What a response answers is its second step.
    domain = SimpleNamespace(equal_lengths=True, answer_key=lambda response: response.steps[1])
    codec = SimpleNamespace(encode=lambda prefix: (0,) * PROMPT_TOKENS)

    def __init__(self, here, play):
        self.here, self.play, self.costs = here, play, []

    @property
    def spent(self):
        return total_cost(self.costs)

    def run(self, algorithms):
        self.costs = [Counter(generated_tokens=1) for _ in algorithms]
        return [self.play(each, self.here) for each in algorithms]


def options(**values):
    defaults: dict[str, Any] = {"beam_width": 0, "max_steps": 0, "likelihood_weight": 0.2,
                "prover_value": "formula", "per_token": False}  # fmt: skip
    return SearchOptions(**(defaults | values))


@pytest.fixture
def picks():
    """search_id -> final pick -> whether it takes a right response, of the last search."""
    return {}


@pytest.fixture
def searched(world, play, picks):
    def run(*arms, pipeline_seed=0, seed=0, **values):
        here = world(CHILDREN, VALUES, right=frozenset({"a\ny"}))
        work = SearchWork(
            domain="countdown", dtype="float32", temperature=1.0, top_p=1.0, max_tokens=20,
            policy_id="base", split="test", pipeline_seed=pipeline_seed, seed=seed,
            options=options(**values), arms=arms,
        )  # fmt: skip
        driver: Any = ScriptedDriver(here, play)
        spent: list[dict[str, float]] = []
        found = search(driver, work, unit_id="u", spent=spent)
        picks.clear()
        for row in found.picks:
            picks.setdefault(row["search_id"], {})[row["pick"]] = row["is_correct"]
        return found.results, here, total_cost(spent)

    return run


def test_every_arm_and_problem_is_a_row_of_the_data_set(searched):
    rows, _, spent = searched(
        Arm("beam", "q", "", 4, 0.0, "q_last"), Arm("single", "", "", 1).chosen()
    )
    table = frame("search_results", rows)
    assert to_parquet("search_results", table)
    assert set(table.select("strategy", "problem_id").iter_rows()) == {
        (strategy, name) for strategy in ("beam", "single") for name in NAMES
    }
    assert spent["generated_tokens"] == 4


def test_a_beam_reports_every_pick_and_answers_with_the_one_chosen(searched, picks):
    # "bb\nz" (.8) and "a\ny" (.7) lead; the ORM alone takes the right one
    rows, _, _ = searched(Arm("beam", "q", "", 8, 0.0, "orm"))
    row = rows[0]
    # .6 * .7 > .5 * .8; the samples' log-probabilities do not change that.
    assert list(picks[row["search_id"]]) == list(FINAL_PICKS)
    taken = picks[row["search_id"]]
    assert (taken["q_last"], taken["orm"], taken["q_product"]) == (False, True, True)
    assert (row["is_correct"], row["response"], row["is_any_correct"]) == (True, "a\ny", True)
    assert len(picks) == len(rows) == len(NAMES)


def test_solutions_ranked_whole_have_no_picks_besides_their_own(searched, picks):
    rows, _, _ = searched(Arm("best_of_n", "orm", "", 2, 0.0, "orm"))
    assert (len(rows), picks) == (len(NAMES), {})


def test_solutions_are_drawn_once_for_every_verifier_and_count(searched):
    arms = [
        Arm("best_of_n", verifier, "", count, 0.0, "")
        for verifier in ("orm", "orm_seed", "q", "q_product")
        for count in (1, 2)
    ]
    rows, here, _ = searched(*arms)
    drawn = [request for request in here.requests if type(request).__name__ == "Extend"]
    assert [request.num_samples for request in drawn] == [2, 2]
    # sample 0 is "a\nx", sample 1 "bb\nz"
    taken = {(row["verifier"], row["num_samples"]): row["response"] for row in rows}
    assert taken == {
        ("orm", 1): "a\nx", ("orm_seed", 1): "a\nx", ("q", 1): "a\nx", ("q_product", 1): "a\nx",
        ("orm", 2): "bb\nz", ("orm_seed", 2): "a\nx", ("q", 2): "bb\nz", ("q_product", 2): "bb\nz",
    }  # fmt: skip


def test_controls_choose_among_the_samples_that_the_orms_choose_among(searched):
    # samples 0 and 2 are "a\nx", sample 1 is "bb\nz"
    names = ("likely", "majority", "orm_majority", "orm")
    rows, here, _ = searched(*(Arm("best_of_n", name, "", 3, 0.0, "") for name in names))
    assert {row["verifier"]: row["response"] for row in rows} == {
        "likely": "a\nx", "majority": "a\nx", "orm_majority": "bb\nz", "orm": "bb\nz",
    }  # fmt: skip
    assert {row["verifier"]: row["scored_prefixes"] for row in rows} == {
        "likely": 0, "majority": 0, "orm_majority": 2, "orm": 2,
    }  # fmt: skip
    assert sum(type(request).__name__ == "Extend" for request in here.requests) == len(NAMES)


def test_the_weight_of_the_likelihood_is_a_setting(searched):
    arm = Arm("best_of_n", "orm_likely", "", 2, 0.0, "orm_likely")
    taken = {
        weight: searched(arm, likelihood_weight=weight)[0][0]["response"] for weight in (0.0, 2.0)
    }
    assert taken == {0.0: "bb\nz", 2.0: "a\nx"}


def test_beams_that_a_bound_on_steps_cuts_off_are_counted(searched):
    arm = Arm("beam", "q", "", 8, 0.0, "q_last")
    bounded, free = (searched(arm, max_steps=steps)[0][0] for steps in (1, 0))
    assert (bounded["beams_cut_off"], bounded["response"]) == (2, "")
    assert (free["beams_cut_off"], free["response"]) == (0, "bb\nz")


def test_a_verifiers_tokens_count_the_prompt_and_only_the_arms_own_verifiers(searched):
    arms = [
        Arm("best_of_n", "orm", "", 2, 0.0, "orm"),
        Arm("best_of_n", "pav", "weak", 2, 0.5, "effective_mean"),
        Arm("single", "", "", 1).chosen(),
    ]
    rows, _, _ = searched(*arms)
    # responses "a\nx" of 3 tokens and "bb\nz" of 4
    cost = {row["verifier"]: (row["scored_prefixes"], row["scored_tokens"]) for row in rows}
    assert cost == {"orm": (2, 7 + 2 * 5), "pav": (4, 14 + 4 * 5), "": (0, 0)}
    assert {row["generated_tokens"] for row in rows} == {3, 7}


def test_a_beam_pays_for_the_orm_only_where_the_orm_picks(searched):
    passes = {
        pick: searched(Arm("beam", "q", "", 8, 0.0, pick))[0][0]["scored_prefixes"]
        for pick in FINAL_PICKS
    }
    # two first steps, three second ones; the ORM looks at all three that finished
    assert passes == {"q_last": 5, "q_product": 5, "q_likely": 5, "orm": 8, "orm_likely": 8}


def test_beams_that_share_a_unit_find_what_they_find_alone(searched):
    arms = [Arm("beam", "pav", "weak", 8, alpha, "q_last") for alpha in (0.0, 0.5, 2.0)]
    together, here, _ = searched(*arms)
    alone = [searched(arm)[0] for arm in arms]
    dropped = {"seconds", "unit_id"}
    by_alpha = {
        (row["alpha"], row["problem_id"]): {k: v for k, v in row.items() if k not in dropped}
        for rows in alone
        for row in rows
    }
    for row in together:
        expected = by_alpha[row["alpha"], row["problem_id"]]
        assert {k: v for k, v in row.items() if k not in dropped} == expected
    prefixes = [
        (request.prefixes, request.num_samples)
        for request in here.requests
        if type(request).__name__ == "Extend" and request.prefixes[0].problem_id == "p"
    ]
    assert len(prefixes) == len(set(prefixes))


def test_an_arm_is_the_beam_of_its_prover_and_alpha(searched, world, play):
    arm = Arm("beam", "pav", "bo2", 8, 0.7, "q_last")
    [row, _] = searched(arm)[0]
    here = world(CHILDREN, VALUES)
    sampling = Sampling("base", 0, 20)
    result = play(beam(Prefix("p"), arm=arm, sampling=sampling, options=options()), here)
    assert row["response"] == result.text("q_last")
    assert row["generated_tokens"] == result.cost.generated_tokens


def test_the_papers_beam_keeps_n_and_samples_three_of_each(searched):
    [row, _], here, _ = searched(Arm("beam_paper", "pav", "bo4", 2, 0.5, "orm"))
    drawn = [request for request in here.requests if type(request).__name__ == "Extend"]
    assert [(len(each.prefixes), each.num_samples) for each in drawn[:2]] == [(1, 6), (2, 3)]
    assert (row["strategy"], row["num_samples"], row["num_candidates"]) == ("beam_paper", 2, 12)


def test_every_pipeline_seed_and_search_seed_samples_anew(searched):
    seeds = set()
    for pipeline_seed in (0, 1):
        for seed in (0, 1):
            arm = Arm("single", "", "", 1).chosen()
            _, here, _ = searched(arm, pipeline_seed=pipeline_seed, seed=seed)
            seeds.add(here.requests[0].seed)
    assert len(seeds) == 4


def test_seconds_are_shared_by_problems_and_by_the_share_of_the_samples(searched):
    arms = [Arm("best_of_n", "orm", "", count, 0.0, "orm") for count in (1, 4)]
    rows, _, _ = searched(*arms)
    seconds = {row["num_samples"]: row["seconds"] for row in rows}
    assert seconds[4] == pytest.approx(4 * seconds[1])
    assert seconds[1] > 0
