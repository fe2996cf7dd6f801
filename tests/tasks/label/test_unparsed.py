"""Labelling stops where the settings cannot read the policy's answers."""

import pytest

from pav.models.errors import InputError
from pav.models.planners.blocks import Block
from pav.models.records import Grading, Prefix, Sample, Verdict
from pav.models.settings import RunSettings
from pav.tasks.label.unparsed import check_rolled, check_sampled
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef, Outcome, Output, Unit


def asked(domain="math", **label):
    problems = {"domain": domain, "path": "mine.jsonl"} if domain == "math" else {}
    return RunSettings.model_validate({"problems": problems, "label": label})


def policies(store):
    specs = {}
    for role in ("base", "weak", "strong"):
        specs[role] = PolicySpec(role, f"policy-{role}", "", "", InputRef(role, role), store)
    return specs


def sampled(tmp_path, counts):
    """A store with solutions: policy -> verdict -> how many."""
    store = Store(str(tmp_path))
    rows = [
        {"solution_id": f"{policy}{verdict}{number}", "problem_id": "p", "policy_id": policy,
         "sample": number, "steps": ["x"], "text": f"{verdict} {number} of {policy}",
         "num_steps": 1, "verdict": verdict, "reason": "", "wrong_step": None,
         "finish_reason": "stop", "num_tokens": 1, "seed": 0, "unit_id": "u"}
        for policy, verdicts in counts.items()
        for verdict, number_of in verdicts.items()
        for number in range(number_of)
    ]  # fmt: skip
    table = frame("solutions", rows)
    output = Output("solutions.parquet", to_parquet("solutions", table), table.height)
    return store, [publish(store, Unit("sample", "sample", 1), Outcome((output,)))]


def checked(settings, tmp_path, counts):
    store, manifests = sampled(tmp_path, counts)
    check_sampled(settings, store, policies(store), manifests)


def test_more_than_one_in_twenty_without_an_answer_stop_it_with_three_of_them(tmp_path):
    counts = {"policy-base": {"correct": 60, "wrong": 34, "unparsed": 6}}
    with pytest.raises(InputError) as caught:
        checked(asked(), tmp_path, counts)
    message = str(caught.value)
    assert message.startswith(
        "label: problems.answer_mark=any finds no answer in 6 of 100 solution"
    )
    assert "all but 5% (label.max_unparsed)" in message
    assert [f"'unparsed {n} of policy-base'" in message for n in range(4)] == [True] * 3 + [False]
    assert "Set problems.answer_mark, or problems.answer_pattern, to how" in message
    assert message.endswith("label.max_unparsed=1 to take them for failures")


@pytest.mark.parametrize(
    "counts",
    [
        {"policy-base": {"correct": 60, "wrong": 35, "unparsed": 5}},
        {"policy-base": {"correct": 1, "unparsed": 2}},
        {"policy-base": {"correct": 10, "truncated": 85, "unparsed": 5}},
        # Not a policy that labels: others read their own answers.
        {"policy-other": {"unparsed": 50}, "policy-base": {"correct": 50}},
        {"policy-base": {"truncated": 100}},
        {"policy-base": {"correct": 50, "failed": 50}},
        {},
    ],
    ids=["just few enough", "too few to show", "cut off", "another policy", "all cut off",
         "ungraded", "none"],
)  # fmt: skip
def test_fewer_do_not_stop_it(tmp_path, counts):
    checked(asked(), tmp_path, counts)


def test_ungraded_responses_do_not_hide_that_others_have_no_answer(tmp_path):
    counts = {"policy-base": {"correct": 45, "unparsed": 5, "failed": 900}}
    with pytest.raises(InputError, match="5 of 50 solutions of base"):
        checked(asked(), tmp_path, counts)


def test_each_policy_that_labels_is_looked_at_alone(tmp_path):
    counts = {"policy-base": {"correct": 900}, "policy-weak": {"correct": 40, "unparsed": 10}}
    with pytest.raises(InputError, match="10 of 50 solutions of weak"):
        checked(asked(), tmp_path, counts)
    checked(asked(provers=["strong"]), tmp_path, counts)


@pytest.mark.parametrize(("share", "stops"), [(0.05, True), (0.49, True), (0.5, False), (1, False)])
def test_the_share_is_a_setting_and_1_allows_all(tmp_path, share, stops):
    counts = {"policy-base": {"correct": 50, "unparsed": 50}}
    if stops:
        with pytest.raises(InputError, match=f"all but {share:.0%}"):
            checked(asked(max_unparsed=share), tmp_path, counts)
    else:
        checked(asked(max_unparsed=share), tmp_path, counts)


def test_what_countdown_cannot_read_is_wrong_by_itself_and_stops_nothing(tmp_path):
    checked(asked("countdown"), tmp_path, {"policy-base": {"unparsed": 100}})
    check_rolled(asked("countdown"), "weak", [rolled("unparsed", 200)])


def rolled(verdict, number, text="18 left"):
    sample = Sample((text,), "stop", 3, -1.0)
    graded = (sample, Grading(Verdict(verdict)))
    return Block(Prefix("p", ("first\n",)), 0, "fixed"), [graded] * number


def test_rollouts_of_a_policy_that_gave_no_solutions_stop_it_after_a_unit():
    with pytest.raises(InputError) as caught:
        check_rolled(asked(), "weak", [rolled("unparsed", 20), rolled("correct", 80)])
    assert "finds no answer in 20 of 100 rollouts of weak" in str(caught.value)
    # A whole response is shown, as its answer may stand in any of its steps.
    assert r"'first\n18 left'" in str(caught.value)


@pytest.mark.parametrize("number", [0, 2, 5, 8, 12])
def test_a_unit_with_a_few_more_by_chance_goes_on(number):
    check_rolled(asked(), "base", [rolled("unparsed", number), rolled("correct", 100 - number)])


def test_what_is_shown_of_a_long_response_is_its_end():
    blocks = [rolled("unparsed", 50, text="word " * 1000 + "so it is 18")]
    with pytest.raises(InputError) as caught:
        check_rolled(asked(), "base", blocks)
    assert "so it is 18'" in str(caught.value)
    assert len(str(caught.value)) < 1000
