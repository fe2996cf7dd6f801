"""`load_verifier` gives the scores that training stored, and refuses what it cannot read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pav.models.errors import InputError
from pav.models.policy.embedded import build_tokenizer
from pav.models.verifiers.calibration import Calibration
from pav.tasks.score.verifier import Solution, load_verifier
from tests.untrained_verifier import untrained

STEPS = ["3 - 1 = 2 left 2 20\n", "20 + 2 = 22 left 22"]
PROMPT = "1 3 20 -> 24\n"
HEADS = {"q_weak": Calibration(2.0, 0.5), "q_strong": Calibration(1.0, -1.0)}


@pytest.fixture
def folder(tmp_path):
    """An untrained verifier with two heads."""
    return untrained(tmp_path, HEADS)


@pytest.mark.slow
def test_scores_are_those_that_training_stored(trained_world):
    verifier = load_verifier(str(trained_world.folder), device="cpu")
    scored = list(trained_world.scored_solutions())
    assert scored
    for problem, steps, is_finished, stored in scored:
        prompt = verifier.prompt(problem.question, problem.answer)
        assert verifier.split("".join(steps)) == steps
        found = verifier.score(prompt, steps, is_finished=is_finished)
        assert found == pytest.approx(stored[1:], abs=1e-5)
        [whole] = verifier.score_all([Solution(prompt, steps, is_finished)])
        assert whole.prompt == pytest.approx(stored[0], abs=1e-5)
    assert (verifier.head, verifier.heads, verifier.kind) == ("q", ("q",), "q")


def test_the_head_that_was_asked_for_scores(folder):
    weak, strong = (load_verifier(folder, head=name) for name in HEADS)
    found = [verifier.score(PROMPT, STEPS) for verifier in (weak, strong)]
    assert [len(scores) for scores in found] == [2, 2]
    assert found[0] != pytest.approx(found[1], abs=0.05)


@pytest.mark.parametrize(("head", "got"), [("", "none"), ("q", "'q'")])
def test_a_head_must_be_named_where_there_are_several(folder, head, got):
    with pytest.raises(InputError, match=f"expected a head of q_weak, q_strong, got {got}$"):
        load_verifier(folder, head=head)


def test_the_last_step_of_a_finished_response_is_read_at_the_end_of_text(folder):
    verifier = load_verifier(folder, head="q_weak")
    ids, ends = verifier.encode(Solution(PROMPT, tuple(STEPS)))
    cut_ids, cut_ends = verifier.encode(Solution(PROMPT, tuple(STEPS), is_finished=False))
    assert ids == (*cut_ids, build_tokenizer().eos_token_id)
    assert ends == (*cut_ends[:-1], cut_ends[-1] + 1)
    assert ends[-1] == len(ids) - 1
    whole, cut = (verifier.score(PROMPT, STEPS, is_finished=flag) for flag in (True, False))
    assert whole[0] == pytest.approx(cut[0], abs=1e-6)
    assert whole[1] != pytest.approx(cut[1], abs=1e-4)


def test_a_bare_prompt_has_a_score_and_no_end_of_text(folder):
    verifier = load_verifier(folder, head="q_weak")
    [bare] = verifier.score_all([Solution(PROMPT, ())])
    [whole] = verifier.score_all([Solution(PROMPT, tuple(STEPS))])
    assert bare.steps == ()
    assert bare.prompt == pytest.approx(whole.prompt, abs=1e-6)


@pytest.mark.parametrize(
    ("prompt", "steps", "words"),
    [
        ("", STEPS, "prompt: expected text, got ''"),
        (PROMPT, [STEPS[0], ""], "step 2: expected text, got ''"),
        (PROMPT, ["1 " * 300], "expected at most 256 tokens, which is all"),
    ],
)
def test_what_cannot_be_read_is_said(folder, prompt, steps, words):
    with pytest.raises(InputError, match=words):
        load_verifier(folder, head="q_weak").score(prompt, steps)


def test_a_prompt_may_fill_the_context_to_the_last_token(folder):
    verifier = load_verifier(folder, head="q_weak")
    step = "\n" * (256 - len(build_tokenizer().encode(PROMPT)) - 1)
    assert len(verifier.encode(Solution(PROMPT, (step,)))[0]) == 256
    with pytest.raises(InputError, match="got 257"):
        verifier.encode(Solution(PROMPT, (step + "\n",)))


def test_a_question_without_its_answer_is_refused_where_the_prompt_needs_it(folder):
    verifier = load_verifier(folder, head="q_weak")
    assert verifier.prompt("1 3 20", "24") == PROMPT
    with pytest.raises(InputError, match="expected the target of '1 3 20', got none"):
        verifier.prompt("1 3 20")


def named(folder, key):
    path = folder / "pav_verifier.json"
    details = json.loads(path.read_text())
    path.write_text(json.dumps({name: details[name] for name in ("heads",)} | key))
    return load_verifier(folder, head="q_weak")


def test_a_math_verifier_asks_by_its_own_template_and_needs_no_answer(folder):
    verifier = named(folder, {"domain": 'math {"prompt": "Q: {question} A:"}'})
    assert verifier.prompt("2 + 2?") == verifier.prompt("2 + 2?", "4") == "Q: 2 + 2? A:"
    assert verifier.split("a\nb") == ("a\n", "b")


@pytest.mark.parametrize("key", [{}, {"domain": "chess"}, {"domain": 'math {"colour": 1}'}])
def test_without_a_known_domain_only_prompts_and_steps_are_scored(folder, key):
    verifier = named(folder, key)
    assert len(verifier.score(PROMPT, STEPS)) == 2
    assert verifier.kind == ""
    for call in (lambda: verifier.prompt("1 3 20", "24"), lambda: verifier.split("a\nb")):
        with pytest.raises(InputError, match=r"expected prompt and steps instead, since pav_ver"):
            call()


def test_a_folder_that_is_no_verifier_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        load_verifier(tmp_path / "nowhere")


def test_the_code_of_the_page_runs(folder):
    page = (Path(__file__).parents[3] / "docs" / "verifiers.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    placeholder = '"store/data/train/UNIT/model"'
    assert placeholder in code
    names: dict[str, Any] = {}
    exec(code.replace(placeholder, f'"{folder}", head="q_weak"'), names)
    assert (names["prompt"], list(names["steps"])) == (PROMPT, STEPS)
    assert names["scores"] == load_verifier(folder, head="q_weak").score(PROMPT, STEPS)
