import json
import time

import numpy as np
import pytest

from pav.models.arms import arms
from pav.models.errors import InputError, WorkError
from pav.models.settings import ReportSettings, RunSettings
from pav.tasks.comparisons import Compared, Key, compare, matched
from pav.tasks.datasets import frame
from pav.tasks.results import search_summary

REPORT = ReportSettings(num_resamples=2000)
PAV, Q = Key("beam", "pav", "bo4", 4), Key("beam", "q", "", 4)


def row(key, problem, right, *, pipeline_seed=0, seed=0, split="test", **values):
    return {
        **key._asdict(), "alpha": 0.5, "split": split, "problem_id": problem,
        "pipeline_seed": pipeline_seed, "seed": seed, "final_pick": "orm", "is_correct": right,
        "is_any_correct": right, "is_correct_q_last": right, "is_correct_q_product": False,
        "is_correct_orm": right, "response": "", "num_candidates": 2 * key.num_samples,
        "generated_tokens": 10 * key.num_samples, "scored_prefixes": key.num_samples,
        "scored_tokens": 30 * key.num_samples, "seconds": 0.5, "unit_id": "u", **values,
    }  # fmt: skip


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


def test_search_seeds_are_averaged_inside_a_problem_and_pipeline_seed():
    rows = [
        row(PAV, "p0", True, seed=0), row(PAV, "p0", False, seed=1),
        row(PAV, "p1", True, seed=0), row(PAV, "p1", True, seed=1), row(Q, "p0", True),
        row(Q, "p1", False),
    ]  # fmt: skip
    compared = Compared.of(frame("search_results", rows), REPORT)
    assert compared.correct[PAV].tolist() == [[0.5, 1.0]]
    difference = compare(compared, "x", PAV, Q)
    assert difference["difference"] == pytest.approx(0.25)


def test_a_difference_of_every_problem_excludes_zero():
    found = compare(Compared.of(table({PAV: {0: [1] * 8}, Q: {0: [0] * 8}}), REPORT), "x", PAV, Q)
    assert (found["low"], found["high"]) == (pytest.approx(1), pytest.approx(1))
    assert found["excludes_zero"]
    assert (found["t_low"], found["both_low"], found["num_seeds"]) == (None, None, 1)


def test_no_difference_is_called_one_where_the_pipeline_seeds_disagree():
    wins, loses = [1] * 30 + [0] * 10, [0] * 10 + [1] * 10 + [0] * 20
    answers = {
        PAV: {0: wins, 1: wins, 2: loses},
        Q: {seed: [0] * 10 + [1] * 10 + [0] * 20 for seed in range(3)},
    }
    found = compare(Compared.of(table(answers), REPORT), "x", PAV, Q)
    assert found["low"] > 0
    assert found["t_low"] < 0
    assert not found["excludes_zero"]
    assert found["by_seed"] == pytest.approx([0.5, 0.5, 0.0])


def test_an_arm_with_a_gap_is_an_error_that_names_it():
    answers = {PAV: {0: [1, 1], 1: [1, 1]}, Q: {0: [1, 1]}}
    with pytest.raises(WorkError, match=r"verifier='q'.*2 results"):
        Compared.of(table(answers), REPORT)


def curve(strategy, verifier, heights, prover=""):
    return {
        Key(strategy, verifier, prover, 4**place): {0: [1] * right + [0] * (100 - right)}
        for place, right in enumerate(heights)
    }


def test_compute_is_interpolated_to_where_the_beam_meets_the_orm():
    beam = curve("beam", "pav", [10, 30, 50, 70], "bo4")
    target = Key("best_of_n", "orm", "", 64)
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
    target = Key("best_of_n", "orm", "", 64)
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


def run_table(settings, num_problems, seeds):
    """Search results of every arm; chances rise with the candidates and with PAV."""
    random = np.random.default_rng(0)
    rows = []
    for arm in arms(settings):
        for count in (1,) if arm.strategy == "single" else settings.evaluate.num_samples:
            chance = 0.2 + 0.08 * np.log2(count) + 0.1 * (arm.verifier == "pav")
            rows += [
                row(
                    Key(arm.strategy, arm.verifier, arm.prover, count),
                    f"p{place}",
                    bool(random.random() < chance),
                    pipeline_seed=pipeline_seed,
                    seed=seed,
                )
                for pipeline_seed in seeds
                for seed in range(arm.num_seeds)
                for place in range(num_problems)
            ]
    return frame("search_results", rows)


def test_the_summary_is_json_with_every_arm_and_comparison():
    found = search_summary(SETTINGS, run_table(SETTINGS, 30, (0, 1)))
    assert json.loads(json.dumps(found, allow_nan=False))["num_pipeline_seeds"] == 2
    assert len(found["arms"]) == 1 + 3 * (len(arms(SETTINGS)) - 1)
    first = found["arms"][0]
    assert (first["strategy"], first["num_problems"], first["num_search_seeds"]) == (
        "single",
        30,
        3,
    )
    assert first["low"] <= first["accuracy"] <= first["high"]
    assert first["accuracy_orm"] == pytest.approx(first["accuracy"])
    assert [each["label"] for each in found["comparisons"]] == [
        "PAV beam at 16 against the better ORM's best-of-16",
        "PAV beam at 16 against ORM \N{MULTIPLICATION SIGN} likelihood, best-of-16",
        "PAV beam at 16 against the Q beam at 16",
        "PAV as ORM, best-of-16, against the better ORM",
        "PAV beam at 4 against the better ORM's best-of-16",
        "PAV beam at 4 against the better ORM's best-of-4",
        "PAV beam at 4 against ORM \N{MULTIPLICATION SIGN} likelihood, best-of-4",
        "PAV beam at 4 against the Q beam at 4",
        "PAV as ORM, best-of-4, against the better ORM",
    ]
    assert {each["arm"] for each in found["compute"]} == {"beam pav bo4", "beam q"}
    assert len(found["coverage"]) == 3


def test_claims_are_made_against_the_orm_that_is_better_on_test():
    weaker = Key("best_of_n", "orm", "", 4)
    better = Key("best_of_n", "orm_seed", "", 4)
    answers = {PAV: {0: [1, 1, 1, 0]}, weaker: {0: [0, 0, 0, 0]}, better: {0: [1, 1, 0, 0]}}
    found = search_summary(SETTINGS, table(answers))
    assert found["better_orm"] == "orm_seed"
    assert found["comparisons"][0]["difference"] == pytest.approx(0.25)


def test_validation_rows_are_read_at_the_chosen_pick_and_never_as_test():
    rows = [
        row(PAV, "p0", True),
        row(PAV, "v0", False, split="validation", is_correct_orm=True, is_correct_q_last=False),
        row(PAV, "v1", False, split="validation", is_correct_orm=False, is_correct_q_last=False),
    ]
    found = search_summary(SETTINGS, frame("search_results", rows))
    assert found["num_test_problems"] == 1
    [grid] = found["validation"]
    assert (grid["accuracy"], grid["accuracy_q_last"], grid["num_problems"]) == (0.5, 0.0, 2)


def test_a_run_without_test_problems_is_told_so():
    rows = [row(PAV, "v0", True, split="validation")]
    with pytest.raises(InputError, match="test split"):
        search_summary(SETTINGS, frame("search_results", rows))


@pytest.mark.slow
def test_ten_thousand_resamples_over_every_hand_take_seconds():
    settings = RunSettings(pipeline_seeds=(0, 1, 2))
    results = run_table(settings, 262, (0, 1, 2))
    started = time.process_time()
    found = search_summary(settings, results)
    assert len(found["other_comparisons"]) > 10
    assert time.process_time() - started < 10
