import json
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.errors import InputError, WorkError
from pav.models.search.arms import Arm
from pav.models.search.strategies import arms
from pav.models.settings import ReportSettings, RunSettings
from pav.tasks.report.comparisons import Compared, Pair, compare, compare_all, matched
from pav.tasks.report.pairs import Pairs, better_orm
from pav.tasks.report.results import search_summary
from pav.tasks.store.datasets import frame

REPORT = ReportSettings(num_resamples=2000)
PAV, Q = Arm("beam", "pav", "bo4", 4), Arm("beam", "q", "", 4)
ORM, ORM_SEED = Arm("best_of_n", "orm", "", 4), Arm("best_of_n", "orm_seed", "", 4)


def row(key, problem, right, *, pipeline_seed=0, seed=0, split="test", **values):
    return {
        **key.to_record(), "alpha": 0.5, "split": split, "problem_id": problem,
        "search_id": f"{key.title} {split} {problem} {pipeline_seed} {seed}", "policy_id": "base",
        "pipeline_seed": pipeline_seed, "seed": seed, "final_pick": "orm", "is_correct": right,
        "is_any_correct": right, "response": "", "beams_cut_off": 0,
        "num_candidates": 2 * key.num_samples,
        "generated_tokens": 10 * key.num_samples, "scored_prefixes": key.num_samples,
        "scored_tokens": 30 * key.num_samples, "seconds": 0.5, "unit_id": "u", **values,
    }  # fmt: skip


def picks(results, **given):
    """Rows of `final_picks`: each pick takes what the search took, but for those given."""
    beams = results.filter(pl.col("strategy") == "beam")
    rows = [
        {"search_id": search, "pick": pick, "is_correct": given.get(pick, right), "unit_id": "u"}
        for search, right in beams.select("search_id", "is_correct").iter_rows()
        for pick in ("q_last", "q_product", "orm", "q_likely")
    ]
    return frame("final_picks", rows)


def summary(settings, results, **given):
    return search_summary(settings, results, picks(results, **given))


def table(answers, **values):
    """Rows of {key: {pipeline_seed: right or wrong by problem}}."""
    return frame(
        "search_results",
        [
            row(key, f"p{place}", bool(right), pipeline_seed=seed, **values)
            for key, by_seed in answers.items()
            for seed, rights in by_seed.items()
            for place, right in enumerate(rights)
        ],
    )


def search_rows(answers):
    """Rows of {key: {search seed: right or wrong by problem}}."""
    return frame(
        "search_results",
        [
            row(key, f"p{place}", bool(right), seed=seed)
            for key, by_seed in answers.items()
            for seed, rights in by_seed.items()
            for place, right in enumerate(rights)
        ],
    )


def difference(rows, first=PAV, second=Q):
    return compare(Compared.of(rows, REPORT), Pair("x", first, second))


def test_arms_are_compared_on_the_search_seeds_that_both_have():
    found = difference(
        search_rows({PAV: {0: [1, 0, 1], 1: [1, 1, 1], 2: [1, 1, 1]}, Q: {0: [0, 0, 1]}})
    )
    assert found["difference"] == pytest.approx(1 / 3)
    assert (found["num_search_seeds"], found["num_pairs"]) == (1, 3)
    assert (found["wins"], found["losses"], found["num_discordant_problems"]) == (1, 0, 1)


def test_search_seeds_are_averaged_inside_a_problem():
    found = difference(search_rows({PAV: {0: [1, 1], 1: [0, 1]}, Q: {0: [1, 0], 1: [1, 0]}}))
    assert found["difference"] == pytest.approx(0.25)
    assert (found["wins"], found["losses"], found["num_discordant_problems"]) == (2, 1, 2)


VERDICTS = st.lists(st.booleans(), min_size=30, max_size=30)


@given(VERDICTS, st.lists(VERDICTS, max_size=3), st.lists(VERDICTS, max_size=3))
@settings(max_examples=30, deadline=None)
def test_equal_verdicts_on_shared_seeds_are_a_difference_of_exactly_zero(shared, firsts, seconds):
    """Whatever each arm did on search seeds of its own."""
    answers = {
        PAV: {0: shared, **{1 + place: each for place, each in enumerate(firsts)}},
        Q: {0: shared, **{10 + place: each for place, each in enumerate(seconds)}},
    }
    found = difference(search_rows(answers))
    assert (found["difference"], found["wins"], found["losses"]) == (0.0, 0, 0)
    assert found["low"] == pytest.approx(-found["high"])
    assert found["low"] < 0 < found["high"]
    assert (found["excludes_zero"], found["p_value"], found["interval"]) == (False, 1.0, "score")


def test_a_beam_of_one_seed_is_not_better_for_the_luck_of_that_seed():
    """As quickstart printed it: seed 0 lucky for both, seeds 1 and 2 run for the Q beam alone."""
    lucky, other = [1] * 124 + [0] * 6, [1] * 119 + [0] * 11
    found = difference(search_rows({PAV: {0: lucky}, Q: {0: lucky, 1: other, 2: other}}))
    assert (found["difference"], found["excludes_zero"]) == (0.0, False)


def test_arms_without_a_shared_seed_are_refused():
    compared = Compared.of(search_rows({PAV: {1: [1, 0]}, Q: {0: [1, 1]}}), REPORT)
    with pytest.raises(WorkError, match=r"a search seed that all arms.*\[1\].*\[0\].*search_seeds"):
        compare(compared, Pair("x", PAV, Q))


def test_a_difference_of_every_problem_excludes_zero():
    found = difference(table({PAV: {0: [1] * 30}, Q: {0: [0] * 30}}))
    assert (found["low"], found["high"]) == (pytest.approx(1), pytest.approx(1))
    assert (found["excludes_zero"], found["interval"]) == (True, "bootstrap")
    assert (found["t_low"], found["both_low"], found["num_seeds"]) == (None, None, 1)
    assert found["p_value"] == pytest.approx(2 * 0.5**30)


def test_few_discordant_problems_are_a_difference_only_where_the_sign_test_agrees():
    # Tango's interval of 4 against 0 of 100 lies above zero; chance alone gives 4 to 0 one time
    # in 8, 6 to 0 one time in 32.
    four, six = (difference(table({PAV: {0: [1] * count + [0] * (100 - count)}, Q: {0: [0] * 100}}))
                 for count in (4, 6))  # fmt: skip
    assert four["low"] > 0
    assert (four["p_value"], four["excludes_zero"]) == (0.125, False)
    assert (six["p_value"], six["excludes_zero"]) == (0.03125, True)


def test_pipeline_seeds_of_one_mean_have_no_interval_over_seeds():
    answers = {PAV: {0: [1, 0] * 20, 1: [1, 0] * 20}, Q: {0: [0, 0] * 20, 1: [0, 0] * 20}}
    found = difference(table(answers))
    assert (found["t_low"], found["t_high"]) == (None, None)
    assert found["excludes_zero"]


def test_p_values_are_adjusted_for_the_number_of_comparisons():
    rows = table({PAV: {0: [1] * 6 + [0] * 94}, Q: {0: [0] * 100}, ORM: {0: [0] * 100}})
    pairs = [Pair("a", PAV, Q), Pair("b", PAV, ORM), Pair("c", Q, ORM)]
    found = compare_all(Compared.of(rows, REPORT), pairs)
    assert [each["p_holm"] for each in found] == [0.09375, 0.09375, 1.0]


def test_an_arm_that_is_hardly_ever_right_has_wilsons_interval():
    answers = {PAV: {0: [0] * 100}, Q: {0: [1] * 20 + [0] * 80}, ORM: {0: [1] * 81 + [0] * 19}}
    found = Compared.of(table(answers), REPORT).intervals()
    never, kind = found[PAV]
    assert (never.low, kind) == (0.0, "wilson")
    assert never.high == pytest.approx(3.8415 / 103.8415, abs=1e-4)
    assert (found[Q][1], found[ORM][1]) == ("bootstrap", "wilson")


def test_no_difference_is_called_one_where_the_pipeline_seeds_disagree():
    wins, loses = [1] * 30 + [0] * 10, [0] * 10 + [1] * 10 + [0] * 20
    answers = {
        PAV: {0: wins, 1: wins, 2: loses},
        Q: {seed: [0] * 10 + [1] * 10 + [0] * 20 for seed in range(3)},
    }
    found = difference(table(answers))
    assert found["low"] > 0
    assert found["t_low"] < 0
    assert not found["excludes_zero"]
    assert found["by_seed"] == pytest.approx([0.5, 0.5, 0.0])


def test_an_arm_with_a_gap_is_an_error_that_names_it():
    answers = {PAV: {0: [1, 1], 1: [1, 1]}, Q: {0: [1, 1]}}
    with pytest.raises(WorkError, match=r"beam q at 4 .*4 results, got 2 results"):
        Compared.of(table(answers), REPORT)
    with pytest.raises(WorkError, match=r"search seeds \[0, 1\], 4 results, got 3 results"):
        Compared.of(search_rows({PAV: {0: [1, 1], 1: [1]}}), REPORT)


def curve(strategy, verifier, heights, prover=""):
    return {
        Arm(strategy, verifier, prover, 4**place): {0: [1] * right + [0] * (100 - right)}
        for place, right in enumerate(heights)
    }


def test_compute_is_interpolated_to_where_the_beam_meets_the_orm():
    beam = curve("beam", "pav", [10, 30, 50, 70], "bo4")
    target = Arm("best_of_n", "orm", "", 64)
    compared = Compared.of(table({**beam, target: {0: [1] * 40 + [0] * 60}}), REPORT)
    cost = {
        key: {"generated_tokens": 10 * key.num_samples, "all_tokens": 40 * key.num_samples,
              "width": max(key.num_samples // 4, 1)}
        for key in [*beam, target]
    }  # fmt: skip
    found = matched(compared, target, sorted(beam), cost)
    # .4 lies half way in the log between 4 and 16 candidates
    assert found["candidates"] == pytest.approx(8)
    assert found["candidate_ratio"] == pytest.approx(8)
    assert found["generated_tokens"] == pytest.approx(80)
    assert found["generated_tokens_ratio"] == pytest.approx(8)
    assert found["width"] == pytest.approx(2)
    assert found["width_ratio"] == pytest.approx(32)
    assert found["candidate_ratio_low"] < 8 < found["candidate_ratio_high"]


def test_a_beam_that_never_gets_there_has_no_ratio():
    beam = curve("beam", "pav", [10, 20], "bo4")
    target = Arm("best_of_n", "orm", "", 64)
    compared = Compared.of(table({**beam, target: {0: [1] * 40 + [0] * 60}}), REPORT)
    cost = {
        key: {"generated_tokens": 1.0, "all_tokens": 1.0, "width": 1} for key in [*beam, target]
    }
    found = matched(compared, target, sorted(beam), cost)
    assert (found["candidates"], found["candidate_ratio"], found["width_ratio"]) == (None,) * 3
    assert found["candidate_ratio_low"] == 0


SETTINGS = RunSettings.model_validate(
    {"report": {"num_resamples": 500}, "evaluate": {"num_samples": [1, 4, 16]}}
)


def run_table(asked, num_problems, seeds, **values):
    """Search results of every arm; chances rise with the candidates and with PAV."""
    random = np.random.default_rng(0)
    rows = []
    for arm, num_seeds in arms(asked).items():
        chance = 0.2 + 0.08 * np.log2(arm.num_samples) + 0.1 * (arm.verifier == "pav")
        rows += [
            row(
                arm,
                f"p{place}",
                bool(random.random() < chance),
                pipeline_seed=pipeline_seed,
                seed=seed,
                **values,
            )
            for pipeline_seed in seeds
            for seed in range(num_seeds)
            for place in range(num_problems)
        ]
    return frame("search_results", rows)


TIMES = "\N{MULTIPLICATION SIGN}"


def test_the_summary_is_json_with_every_arm_and_comparison():
    found = summary(SETTINGS, run_table(SETTINGS, 30, (0, 1)))
    assert json.loads(json.dumps(found, allow_nan=False))["num_pipeline_seeds"] == 2
    assert len(found["arms"]) == len(arms(SETTINGS))
    first = found["arms"][0]
    assert (first["strategy"], first["num_problems"], first["num_search_seeds"]) == (
        "single", 30, 3,
    )  # fmt: skip
    assert (first["num_searches"], first["searches_cut_off"]) == (2 * 3 * 30, 0)
    assert first["low"] <= first["accuracy"] <= first["high"]
    assert first["accuracy_orm"] is None
    beam = next(each for each in found["arms"] if each["strategy"] == "beam")
    assert beam["accuracy_orm"] == pytest.approx(beam["accuracy"])
    assert {(each["arm"], each["target"]["verifier"]) for each in found["compute"]} == {
        (arm, target)
        for arm in ("beam pav bo4", "beam q")
        for target in (found["better_orm"], "orm_likely")
    }
    assert len(found["coverage"]) == 3
    others = [arm for arm in arms(SETTINGS) if arm.guide != ("beam", "q", "")]
    num_others = sum(arm.num_samples > 1 for arm in others)
    assert len(found["differences_to_q_beam"]) == num_others


def test_like_for_like_comparisons_come_first_and_others_say_that_the_picks_differ():
    results = run_table(SETTINGS, 30, (0,), final_pick="q_likely")
    found = summary(SETTINGS, results)["comparisons"]
    assert [(each["label"], each["like_for_like"], each["of_paper"]) for each in found] == [
        ("PAV beam at 16 against the Q beam at 16", True, True),
        (f"PAV beam at 16 against ORM {TIMES} likelihood, best-of-16", True, False),
        ("PAV beam at 16 against likelihood alone, best-of-16", True, False),
        ("PAV beam at 16 against majority of 16 (final picks differ)", False, False),
        ("PAV beam at 16 against the better ORM's best-of-16 (final picks differ)", False, True),
        ("PAV as ORM, best-of-16, against the better ORM", True, True),
        ("PAV beam at 4 against the better ORM's best-of-16 (final picks differ)", False, True),
        ("PAV beam at 4 against the Q beam at 4", True, True),
        (f"PAV beam at 4 against ORM {TIMES} likelihood, best-of-4", True, False),
        ("PAV beam at 4 against likelihood alone, best-of-4", True, False),
        ("PAV beam at 4 against majority of 4 (final picks differ)", False, False),
        ("PAV beam at 4 against the better ORM's best-of-4 (final picks differ)", False, True),
        ("PAV as ORM, best-of-4, against the better ORM", True, True),
    ]


def test_a_beam_that_picks_by_a_score_alone_is_like_the_orm_and_unlike_orm_times_likelihood():
    results = run_table(SETTINGS, 30, (0, 1), final_pick="orm")
    found = {
        each["label"]: each["like_for_like"] for each in summary(SETTINGS, results)["comparisons"]
    }
    assert found["PAV beam at 4 against the better ORM's best-of-4"]
    likely = f"PAV beam at 4 against ORM {TIMES} likelihood, best-of-4 (final picks differ)"
    assert not found[likely]


def test_picks_that_differ_by_pipeline_seed_are_like_nothing_but_each_other():
    rows = pl.concat([table({PAV: {0: [1] * 4}, Q: {0: [1] * 4}, ORM: {0: [1] * 4}}),
                      table({PAV: {1: [1] * 4}, Q: {1: [1] * 4}, ORM: {1: [1] * 4}},
                            final_pick="q_likely")])  # fmt: skip
    pairs = Pairs(SETTINGS.evaluate, Compared.of(rows, REPORT), rows)
    assert not pairs.is_like_for_like(PAV, ORM)
    assert not pairs.is_like_for_like(PAV, Arm("best_of_n", "orm_likely", "", 4))


def test_claims_are_made_against_the_orm_that_is_better_on_test():
    answers = {PAV: {0: [1, 1, 1, 0]}, ORM: {0: [0, 0, 0, 0]}, ORM_SEED: {0: [1, 1, 0, 0]}}
    found = summary(SETTINGS, table(answers))
    assert found["better_orm"] == "orm_seed"
    assert found["comparisons"][0]["difference"] == pytest.approx(0.25)


def test_the_better_orm_is_the_better_one_on_the_seeds_of_both():
    compared = Compared.of(
        search_rows({ORM: {0: [1, 0], 1: [1, 1]}, ORM_SEED: {0: [1, 1]}}), REPORT
    )
    assert better_orm(compared) == "orm_seed"


def test_provers_are_in_order_of_their_k_and_policies_come_last():
    names = ("strong", "bo16", "weak", "bo2")
    rows = table({Arm("beam", "pav", name, 4): {0: [1, 0]} for name in names} | {Q: {0: [1, 0]}})
    found = [each["prover"] for each in summary(SETTINGS, rows)["arms"]]
    assert found == ["bo2", "bo16", "strong", "weak", ""]


@pytest.mark.parametrize(("width", "expected"), [(0, 4), (3, 3)])
def test_costs_are_those_of_the_shared_seeds_and_a_quarter_of_the_candidates(width, expected):
    """On seed 1, which the ORM has not, the beam costs more and is always right."""
    run_settings = SETTINGS.model_copy(
        update={"evaluate": SETTINGS.evaluate.model_copy(update={"beam_width": width})}
    )
    keys = [Arm("beam", "q", "", count) for count in (1, 4, 16)]
    target = Arm("best_of_n", "orm", "", 16)
    rows = [
        row(key, f"p{place}", place < right, seed=0)
        for key, right in [*zip(keys, (2, 4, 8), strict=True), (target, 8)]
        for place in range(10)
    ]
    rows += [
        row(key, f"p{place}", True, seed=1, generated_tokens=1_000_000)
        for key in keys
        for place in range(10)
    ]
    [found] = summary(run_settings, frame("search_results", rows))["compute"]
    assert found["candidates"] == pytest.approx(16)
    assert found["generated_tokens"] == pytest.approx(160)
    assert found["width"] == pytest.approx(expected)
    assert found["num_search_seeds"] == 1


def test_validation_rows_are_read_at_the_chosen_pick_and_never_as_test():
    rows = [
        row(PAV, "p0", True),
        row(PAV, "v0", True, split="validation"),
        row(PAV, "v1", False, split="validation"),
    ]
    found = summary(SETTINGS, frame("search_results", rows), q_last=False)
    assert found["num_test_problems"] == 1
    [grid] = found["validation"]
    assert (grid["accuracy"], grid["accuracy_q_last"], grid["num_problems"]) == (0.5, 0.0, 2)


def test_a_run_without_test_problems_is_told_so():
    rows = [row(PAV, "v0", True, split="validation")]
    with pytest.raises(InputError, match="test split"):
        summary(SETTINGS, frame("search_results", rows))


@pytest.mark.slow
def test_ten_thousand_resamples_over_every_hand_take_seconds():
    full = RunSettings(pipeline_seeds=(0, 1, 2))
    results = run_table(full, 262, (0, 1, 2))
    started = time.process_time()
    found = summary(full, results)
    assert len(found["other_comparisons"]) > 10
    assert time.process_time() - started < 10
