import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav.models.domains import check_stepwise, domain, domain_key, domain_of
from pav.models.domains.math.domain import CUT_OFF, Math
from pav.models.errors import InputError
from pav.models.records import Doubt, Grading, Prefix, Verdict
from pav.models.settings import RunSettings

MATH = Math()


def problem(answer="18", question="How many eggs?"):
    return MATH.problem(question, answer, problem_id="eggs", split="train")


def graded(response, answer="18", *, is_finished=True):
    return MATH.grade(problem(answer), Prefix("eggs", (response,), is_finished))


def test_a_worked_answer_is_graded_by_what_it_marks():
    assert graded("so\n#### 18", "16 - 3 = 13\n#### 18.0") == Grading(Verdict.CORRECT)
    assert graded(r"\boxed{18}", "the worked\nanswer is $18 = \\boxed{18}$").verdict == "correct"
    assert graded("#### 19") == Grading(Verdict.WRONG, "another answer")


def test_what_is_unfinished_unmarked_or_unsure_is_told_apart():
    assert graded("#### 18", is_finished=False) == CUT_OFF
    assert graded("18") == Grading(Verdict.UNPARSED, "no answer found")
    assert graded("#### 18 million") == Doubt("18", "18 million")


def test_a_number_of_what_is_counted_is_that_number():
    assert graded("#### 18 eggs") == Grading(Verdict.CORRECT)


def test_several_answers_on_the_last_line_are_never_simply_right():
    given = graded(r"\boxed{18} or \boxed{19}")
    assert given == Doubt("18", "18, 19", "several different answers")


def test_an_answer_that_contains_the_gold_one_is_not_it():
    for text in ("#### 118", "#### 181", "#### 18.5", "#### -18", "#### 1800"):
        assert graded(text).verdict == Verdict.WRONG


@pytest.mark.parametrize("answer", ["", "two lines\nwithout a mark"])
def test_an_answer_that_is_none_is_refused(answer):
    with pytest.raises(InputError, match="answer: expected a final answer on one line"):
        problem(answer)


def test_white_space_makes_no_other_problem():
    one, other = problem(), problem(question="  How many\n eggs? ")
    assert one.canonical_key == other.canonical_key != problem(question="How many?").canonical_key


def test_the_question_stands_in_the_prompt_as_it_is():
    asked = Math(prompt="Q: {question}\nA:")
    assert asked.prompt(problem(question="Is {x} = {question}?")) == "Q: Is {x} = {question}?\nA:"
    with pytest.raises(InputError, match=r"problems.prompt: expected \{question\} in it once"):
        Math(prompt="Solve it.")


def test_a_question_is_asked_in_one_way():
    assert MATH.rephrasings(problem("13")) == [problem("13")]


def chosen_by(**problems):
    return RunSettings(problems=problems)


def test_a_key_holds_every_setting_that_changes_steps_or_verdicts():
    chosen = chosen_by(domain="math", segmenter="words", answer_pattern='^"A": (.*)')
    assert domain(domain_key(chosen)) is domain_of(chosen)
    keys = {domain_key(chosen_by(domain="math", **change)) for change in (
        {}, {"segmenter": "call"}, {"step_words": 3}, {"answer_mark": "boxed"},
        {"answer_pattern": "(a)"}, {"prompt": "{question}"},
    )}  # fmt: skip
    assert len(keys) == 6
    assert domain_key(chosen_by()) == "countdown"
    # A key that was written before answers were read in another way is still known.
    assert domain('math {"segmenter": "words"}').name == "math"
    assert json.loads(domain_key(chosen).partition(" ")[2])["reading"] == 2
    assert domain_key(chosen_by(domain="math", max_train=3)) in keys


def test_step_by_step_sampling_needs_a_delimiter():
    check_stepwise(MATH)
    with pytest.raises(
        InputError, match=r"problems\.segmenter line or paragraph.*got problems\.segmenter=sentence"
    ):
        check_stepwise(Math(segmenter="sentence"))


@given(st.text(), st.sampled_from(["####", r"\boxed{", ""]))
def test_any_response_gets_a_verdict_or_a_doubt(text, mark):
    assert isinstance(graded(f"{mark} {text}"), Grading | Doubt)


def test_a_pattern_that_backtracks_for_ever_is_no_outcome():
    family = Math(answer_mark="pattern", answer_pattern=r"^(?:a|aa)+(b)$")
    problem = family.problem("q", "b", problem_id="", split="train")
    endless = Prefix(problem.problem_id, ("a" * 60 + "c",), is_finished=True)
    graded = family.grade(problem, endless)
    assert isinstance(graded, Grading)
    assert graded.verdict == Verdict.FAILED
