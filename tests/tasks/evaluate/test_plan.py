from dataclasses import replace

import pytest

from pav.models.domains import domain
from pav.models.errors import InputError, WorkError
from pav.models.records import Problem
from pav.models.search.arms import FINAL_PICKS, Arm, alpha_of, final_picks, prover, ranking
from pav.models.search.rewards import Prover
from pav.models.search.strategies import arms, search_options
from pav.models.settings import RunSettings
from pav.tasks.evaluate.choice import Choice, choose
from pav.tasks.evaluate.plan import SearchInputs, plan_choice, plan_search
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.datasets import frame
from pav.tasks.store.store import Store
from pav.tasks.store.units import DataFile, InputRef, Manifest, Unit

ROLES = ("q", "orm_all", "orm_seed", "q_weak", "q_strong")
SETTINGS = RunSettings.model_validate(
    {
        "evaluate": {
            "num_samples": [1, 4, 16],
            "best_of_k": [2, 4],
            "alphas": [0.2, 0.5, 1.0],
            "alpha_num_samples": 8,
            "search_seeds": 3,
            "other_seeds": 1,
        }
    }
)
CHOICE = Choice("orm", {"bo4": 0.5, "bo2": 0.2, "weak": 1.0, "strong": 0.2}, 0.2, "effective_min")


def manifest(name, content="same"):
    unit = Unit("train", name, 1, {"name": name})
    return Manifest(unit, (DataFile("model/x", "p", content, 1, 0),), {}, {}, 1, "")


def inputs(seed=0, q="same", splits=("validation", "test", "train")):
    problems = {
        f"{split}{i}": Problem(f"{split}{i}", "countdown", f"{i} 2 3 4", "24", split)
        for split in splits
        for i in range(3)
    }
    return SearchInputs(
        seed,
        problems,
        manifest("problems"),
        PolicySpec(
            "base", "abc", "from scratch", "", InputRef("pretrain-1", "abc"), Store("unused")
        ),
        {role: manifest(role, q if role == "q" else "same") for role in ROLES},
    )


def edited(**evaluate):
    return SETTINGS.model_copy(update={"evaluate": SETTINGS.evaluate.model_copy(update=evaluate)})


def options(settings=SETTINGS, *, per_token=False):
    return search_options(settings, ["beam"], per_token=per_token)


def planned_arms(units):
    return [Arm(**record) for unit in units for record in unit.parameters["arms"]]


def test_main_arms_get_every_search_seed_and_the_others_theirs():
    seeds = {arm.guide: num_seeds for arm, num_seeds in arms(SETTINGS).items()}
    assert seeds == {
        ("single", "", ""): 3, ("best_of_n", "orm", ""): 3, ("best_of_n", "orm_seed", ""): 3,
        ("best_of_n", "orm_likely", ""): 3, ("best_of_n", "q_likely", ""): 1,
        ("best_of_n", "likely", ""): 3, ("best_of_n", "majority", ""): 3,
        ("best_of_n", "orm_majority", ""): 3,
        ("best_of_n", "q", ""): 1, ("best_of_n", "q_product", ""): 1,
        ("best_of_n", "pav", "bo4"): 1, ("beam", "q", ""): 3, ("beam", "pav", "bo4"): 3,
        ("beam", "pav", "bo2"): 1, ("beam", "pav", "weak"): 1, ("beam", "pav", "strong"): 1,
    }  # fmt: skip


def test_without_other_seeds_only_the_main_arms_are_left():
    left = {(arm.strategy, arm.verifier) for arm in arms(edited(other_seeds=0))}
    assert left == {
        ("single", ""), ("best_of_n", "orm"), ("best_of_n", "orm_seed"),
        ("best_of_n", "orm_likely"), ("best_of_n", "likely"), ("best_of_n", "majority"),
        ("best_of_n", "orm_majority"), ("beam", "q"), ("beam", "pav"),
    }  # fmt: skip


def test_the_papers_beams_run_where_the_settings_ask_for_them():
    planned = plan_search(edited(paper_beam=True), inputs(), CHOICE)
    paper = [arm for arm in planned_arms(planned) if arm.strategy == "beam_paper"]
    assert {(arm.verifier, arm.prover, arm.num_samples) for arm in paper} == {
        (*guide, count) for guide in (("q", ""), ("pav", "bo4")) for count in (1, 4, 16)
    }
    assert len(changed(plan_search(SETTINGS, inputs(), CHOICE), planned)) == 6


def test_provers_that_do_not_label_are_no_arms():
    settings = SETTINGS.model_copy(
        update={"label": SETTINGS.label.model_copy(update={"num_prover_rollouts": 0})}
    )
    assert {arm.prover for arm in arms(settings)} == {"", "bo2", "bo4"}


def test_a_bok_prover_is_a_formula_of_q_or_a_head_of_its_own():
    assert prover("bo8", options()) == Prover("bo8", "q", 8)
    head = options(edited(prover_value="head"))
    assert prover("bo8", head) == Prover("bo8", "q_bo8")
    assert prover("weak", options()) == Prover("weak", "q_weak")
    with pytest.raises(InputError, match="boK"):
        prover("boss", options())


def test_likelihoods_are_compared_per_token_where_responses_differ_in_length():
    picks = {
        per_token: final_picks(options(edited(likelihood_weight=0.5), per_token=per_token))
        for per_token in (False, True)
    }
    assert list(picks[True]) == list(FINAL_PICKS)
    for name in ("q_likely", "orm_likely"):
        assert [(each[name].per_token, each[name].likelihood) for each in picks.values()] == [
            (False, 0.5), (True, 0.5),
        ]  # fmt: skip
        assert ranking(Arm("best_of_n", name, "", 4), options(per_token=True)).per_token
    assert domain("countdown").equal_lengths
    assert not domain("math").equal_lengths


@pytest.mark.parametrize("changed_to", [{"max_steps": 8}, {"likelihood_weight": 0.1}])
def test_what_changes_a_search_makes_other_units(changed_to):
    before, after = (
        plan_search(each, inputs(), CHOICE) for each in (SETTINGS, edited(**changed_to))
    )
    assert changed(before, after) == after


def test_a_verifier_that_ranks_no_solutions_is_refused():
    with pytest.raises(InputError, match="best_of_n"):
        ranking(Arm("best_of_n", "v", "", 4), options())


def test_choices_are_made_on_validation_problems_with_alpha_zero_in_the_grid():
    units = plan_choice(SETTINGS, inputs())
    assert {unit.parameters["split"] for unit in units} == {"validation"}
    tried = {(arm.prover, arm.alpha) for arm in planned_arms(units) if arm.strategy == "beam"}
    assert tried == {
        (name, alpha) for name in ("bo2", "bo4", "weak", "strong") for alpha in (0, 0.2, 0.5, 1.0)
    }
    assert {arm.num_samples for arm in planned_arms(units)} == {8}


def test_a_validation_unit_reads_only_the_verifiers_of_its_planned_arms():
    roles = {
        unit.parameters["arms"][0]["prover"]: set(unit.inputs) - {"policy", "problems"}
        for unit in plan_choice(SETTINGS, inputs())
        if unit.parameters["arms"][0]["strategy"] == "beam"
    }
    assert roles["bo4"] == {"q", "orm_all"}
    assert roles["weak"] == {"q", "orm_all", "q_weak"}


def test_no_validation_problems_means_no_choice_and_the_middle_of_the_grid():
    assert plan_choice(SETTINGS, inputs(splits=("test",))) == []
    chosen = choose(SETTINGS, frame("search_results", []), frame("final_picks", []))
    assert chosen.alphas == dict.fromkeys(("bo4", "bo2", "weak", "strong"), 0.5)
    assert chosen.orm_alpha == 0.5


def test_every_beam_seed_and_count_is_a_unit_and_solutions_are_drawn_once_a_seed():
    units = plan_search(SETTINGS, inputs(), CHOICE)
    beams = [unit for unit in units if unit.parameters["arms"][0]["strategy"] == "beam"]
    assert len(beams) == 3 * (3 + 3 + 1 + 1 + 1)
    assert all(len(unit.parameters["arms"]) == 1 for unit in beams)
    others = [unit for unit in units if unit not in beams]
    assert [unit.parameters["seed"] for unit in others] == [0, 1, 2]
    verifiers = [{arm.verifier for arm in planned_arms([unit])} for unit in others]
    main = {"", "orm", "orm_seed", "orm_likely", "likely", "majority", "orm_majority"}
    assert verifiers[0] == main | {"q", "q_product", "q_likely", "pav"}
    assert verifiers[1] == main
    assert len({unit.unit_id for unit in units}) == len(units)


def test_test_units_take_what_validation_chose():
    planned = planned_arms(plan_search(SETTINGS, inputs(), CHOICE))
    beams = {arm.prover: (arm.alpha, arm.final_pick) for arm in planned if arm.strategy == "beam"}
    assert beams == {
        "": (0.0, "orm"), "bo4": (0.5, "orm"), "bo2": (0.2, "orm"), "weak": (1.0, "orm"),
        "strong": (0.2, "orm"),
    }  # fmt: skip
    ranked = {(arm.alpha, arm.final_pick) for arm in planned
              if (arm.strategy, arm.verifier) == ("best_of_n", "pav")}  # fmt: skip
    assert ranked == {(0.2, "effective_min")}


def changed(before, after):
    ids = {unit.unit_id for unit in before}
    return [unit for unit in after if unit.unit_id not in ids]


def test_another_alpha_redoes_only_the_beams_that_use_it():
    other = Choice("orm", {**CHOICE.alphas, "bo2": 1.0}, 0.2, "effective_min")
    redone = changed(
        plan_search(SETTINGS, inputs(), CHOICE), plan_search(SETTINGS, inputs(), other)
    )
    assert {arm.prover for arm in planned_arms(redone)} == {"bo2"}
    assert len(redone) == 3


def test_another_q_network_redoes_every_beam():
    planned = [plan_search(SETTINGS, inputs(q=q), CHOICE) for q in ("same", "other")]
    kept = {unit.unit_id for unit in planned[0]} & {unit.unit_id for unit in planned[1]}
    assert len(changed(*planned)) == 3 * 9 + 1
    assert len(kept) == 2  # the second and third draws are scored by the ORMs alone


def test_problems_of_another_split_do_not_touch_the_units():
    alone = plan_search(SETTINGS, inputs(splits=("test",)), CHOICE)
    assert changed(plan_search(SETTINGS, inputs(), CHOICE), alone) == []


def test_pipeline_seeds_have_units_of_their_own():
    first, second = (plan_search(SETTINGS, inputs(seed), CHOICE) for seed in (0, 1))
    assert changed(first, second) == second


def result(prover, alpha, right, *, strategy="beam", pick="q_last"):
    """One search, and what each pick takes in it: last Q, product of Q, ORM."""
    name = f"{prover} {alpha} {strategy} {pick}"
    search = {
        "search_id": name, "strategy": strategy, "verifier": "pav", "prover": prover,
        "alpha": alpha, "num_samples": 8, "split": "validation", "problem_id": "p",
        "pipeline_seed": 0, "seed": 0, "final_pick": pick, "is_correct": right[0],
    }  # fmt: skip
    names = ("q_last", "q_product", "orm") if strategy == "beam" else ()
    picks = [
        {"search_id": name, "pick": pick, "is_correct": taken}
        for pick, taken in zip(names, right, strict=False)
    ]
    return search, picks


def validation(*results):
    return (
        frame("search_results", [search for search, _ in results]),
        frame("final_picks", [row for _, picks in results for row in picks]),
    )


VALIDATION = (
    result("bo4", 0.0, (True, True, True)),
    result("bo4", 0.2, (False, True, False)),
    result("bo4", 0.5, (True, True, False)),
    result("bo4", 1.0, (True, False, True)),
    result("weak", 0.2, (False, False, False)),
    result("weak", 0.5, (False, True, False)),
    result("weak", 1.0, (False, True, True)),
    result("bo4", 0.2, (False,) * 3, strategy="best_of_n", pick="effective_min"),
    result("bo4", 0.5, (True,) * 3, strategy="best_of_n", pick="effective_min"),
    result("bo4", 0.2, (False,) * 3, strategy="best_of_n", pick="effective_last"),
    result("bo4", 0.5, (False,) * 3, strategy="best_of_n", pick="effective_last"),
)


def test_the_pick_is_right_most_often_over_all_beams_and_each_alpha_at_that_pick():
    chosen = choose(SETTINGS, *validation(*VALIDATION))
    assert chosen.final_pick == "q_product"
    assert (chosen.alphas["bo4"], chosen.alphas["weak"]) == (0.2, 0.5)
    assert (chosen.aggregate, chosen.orm_alpha) == ("effective_min", 0.5)


def test_a_pick_named_in_the_settings_is_not_chosen_again():
    chosen = choose(edited(final_pick="q_last"), *validation(*VALIDATION))
    assert (chosen.final_pick, chosen.alphas["bo4"]) == ("q_last", 0.5)


def test_alpha_zero_is_never_chosen():
    only_zero_right = [result("bo4", alpha, (alpha == 0,) * 3) for alpha in (0, 0.2, 0.5, 1.0)]
    assert choose(edited(final_pick="orm"), *validation(*only_zero_right)).alphas["bo4"] == 0.2


def test_an_arm_that_validation_has_not_chosen_for_has_no_alpha():
    arm = Arm("beam", "pav", "bo4", 16)
    assert Arm(**arm.chosen(alpha=0.5, final_pick="orm").to_record()).alpha == 0.5
    assert arm.to_record() == {
        "strategy": "beam", "verifier": "pav", "prover": "bo4", "num_samples": 16
    }  # fmt: skip
    with pytest.raises(WorkError, match="arm beam pav bo4: expected an alpha"):
        alpha_of(arm)


def test_verifiers_that_no_network_was_trained_for_are_told_by_name():
    known = inputs()
    fewer = replace(known, verifiers={"q": known.verifiers["q"]})
    with pytest.raises(WorkError, match=r"expected the verifiers .*'orm_all'.*got \['q'\]"):
        plan_search(SETTINGS, fewer, CHOICE)
