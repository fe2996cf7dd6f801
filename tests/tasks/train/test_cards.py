"""What a verifier's card says is true: its code gives the stored scores, its numbers are those."""

import re
from typing import Any

import pytest
from huggingface_hub import ModelCard

from pav.models.domains import domain
from pav.models.records import Prefix, Problem
from pav.tasks.store.datasets import frame
from pav.tasks.store.units import InputRef, Unit
from pav.tasks.train.card_examples import CardExample, card_example, step_rule
from pav.tasks.train.cards import verifier_card


@pytest.fixture(scope="module")
def card(trained_world):
    return ModelCard.load(trained_world.folder / "README.md")


@pytest.mark.slow
def test_the_code_on_the_card_gives_the_stored_scores_with_transformers_alone(
    trained_world, card, monkeypatch
):
    [code] = re.findall(r"^```python\n(.*?)^```", card.text, re.MULTILINE | re.DOTALL)
    assert not re.search(r"\bpav\b", code)
    monkeypatch.chdir(trained_world.folder)
    names: dict[str, Any] = {}
    exec(code, names)
    shown = [
        stored
        for problem, steps, is_finished, stored in trained_world.scored_solutions()
        if domain("countdown").prompt(problem) == names["prompt"]
        and (list(steps), is_finished) == (names["steps"], names["is_finished"])
    ]
    assert max(names["scores"]) - min(names["scores"]) > 0.02
    # The same response may have been sampled more than once.
    assert shown
    for stored in shown:
        assert names["scores"] == pytest.approx(stored, abs=1e-4)
        assert f"It prints `[{', '.join(f'{score:.4f}' for score in stored)}]`" in card.text


@pytest.mark.slow
def test_the_metadata_names_licence_and_test_metrics_and_no_pipeline(card):
    data = card.data.to_dict()
    assert (data["license"], data["library_name"]) == ("other", "transformers")
    assert "pipeline_tag" not in data
    assert {each.dataset_split for each in card.data.eval_results} == {"test"}
    assert {each.metric_type for each in card.data.eval_results} >= {"brier_score"}


POLICY = "b" * 16
PROBLEM = Problem("p", "countdown", "1 3 20", "24", "test")
EXAMPLE = CardExample(
    PROBLEM, "1 3 20 -> 24\n", ("20 + 3 = 23 left 1 23\n", "x"), True, (0.5, 0.25, 1.0)
)
FACTS = {
    "verifier": "q", "unit_id": "train-1", "best_step": 30, "steps": 40, "validation_loss": 0.5,
    "training_data": {"sequences": 1200, "targets": 3400}, "max_tokens": 256,
    "validation_data": {"sequences": 12, "targets": 34},
    "metrics": {"test": {"q": {"num_prefixes": 9.0, "auc": 0.91234, "ece": 0.04,
                               "ece_before_calibration": 0.08, "odd": 1.0}}},
}  # fmt: skip


TRAINING = {
    "pipeline_seed": 0, "steps": 9, "batch_size": 8, "learning_rate": 0.1, "warmup_steps": 0,
    "weight_decay": 0.0, "eval_every": 3, "patience": 1, "rephrase": 0.0,
}  # fmt: skip


def written(*, facts=FACTS, example=EXAMPLE, is_embedded=True, **parameters):
    values = {
        "kind": "q", "domain": "countdown", "verifier": "q", "targets": "counts", "heads": ["q"],
        "head_policies": [POLICY], "best_of_k": [1], "policies": {"base": POLICY}, "balance": False,
        **TRAINING,
    } | parameters  # fmt: skip
    roles = ("problems", "base", "sample:train:0", "label:base:train:0:0", "label:base:train:0:1")
    unit = Unit("train", "q", 1, values, {role: InputRef(f"{role} id", role) for role in roles})
    text = verifier_card(unit, facts, example=example, is_embedded=is_embedded)
    return ModelCard(text)


def lines(card, start):
    return [line for line in card.text.splitlines() if line.startswith(start)]


def test_the_prompt_stands_on_the_card_as_a_rule_and_as_an_example():
    [prompt] = lines(written(), "- **Prompt**")
    assert prompt.endswith(
        '"{question} -> {answer}\\n". Question "1 3 20" with answer "24" becomes "1 3 20 -> 24\\n".'
    )
    math = 'math {"prompt": "Q: {question}\\n", "segmenter": "line"}'
    asked = CardExample(PROBLEM, "Q: 1 3 20\n", (), False, ())
    [prompt] = lines(written(domain=math, example=asked), "- **Prompt**")
    assert prompt.endswith('"Q: {question}\\n". Question "1 3 20" becomes "Q: 1 3 20\\n".')


def test_scores_are_shown_only_where_something_was_held_out():
    assert lines(written(), "It prints") == [
        "It prints `[0.5000, 0.2500, 1.0000]`: the scores that the store holds for this held-out "
        "solution."
    ]
    unscored = CardExample(PROBLEM, "1 3 20 -> 24\n", ("x",), False, ())
    card = written(facts=FACTS | {"metrics": {}}, example=unscored)
    assert lines(card, "It prints") == []
    assert "is_finished = False" in card.text
    assert lines(card, "No problems were held out")
    assert card.data.eval_results is None


def test_metrics_stand_in_one_order_each_before_and_after_calibration():
    table = lines(written(), "|")[-3:]
    assert table == [
        "| split | head | num_prefixes | auc | ece before calibration | ece |",
        "| --- | --- | --- | --- | --- | --- |",
        "| test | q | 9 | 0.9123 | 0.08 | 0.04 |",
    ]
    found = {each.metric_type: each.metric_value for each in written().data.eval_results}
    assert found == {"roc_auc": 0.9123, "expected_calibration_error": 0.04}


def test_a_head_that_lacks_a_metric_has_a_dash_there():
    metrics = {"test": {"a": {"auc": 0.5, "ece": 0.25}, "b": {"ece": 0.5}}}
    card = written(facts=FACTS | {"metrics": metrics}, heads=["a", "b"], best_of_k=[2, 4],
                   head_policies=[POLICY, "w"])  # fmt: skip
    assert lines(card, "| test") == ["| test | a | 0.5 | 0.25 |", "| test | b | - | 0.5 |"]
    assert lines(card, "| 0") + lines(card, "| 1") == [
        f"| 0 | a | `{POLICY}` | 2 |", "| 1 | b | `w` | 4 |",
    ]  # fmt: skip


def test_what_it_was_fitted_on_is_counted_and_can_be_traced():
    text = written().text
    assert "- Rows: 1,200 solutions with 3,400 labelled step ends; step ends drawn as" in text
    assert "on validation problems: 12 solutions with 34 labelled step ends." in text
    assert "Units read: 1 of solutions, 2 of labels;" in text
    assert "(data set `problems`)" in text
    assert "Step 30 of 40 is kept, with validation loss 0.5000." in text
    assert "drawn evenly" in written(balance=True).text


def test_every_sentence_is_on_one_line():
    for line in written().text.splitlines():
        assert (
            not line
            or line[0] in "-|#`"
            or line.rstrip().endswith((".", ")", "]"))
            or (" = " in line or line.startswith(("import", "from", "print", "ids[")))
        ), line


def test_an_orm_says_that_scores_before_the_end_mean_nothing():
    assert "those before it mean nothing" in written(kind="orm_all", targets="").text
    assert "those before it mean nothing" not in written().text


@pytest.mark.parametrize(
    ("is_embedded", "licence", "origin"),
    [(True, "apache-2.0", "trained from scratch by `pav`"),
     (False, "other", "a checkpoint that the user gave")],
)  # fmt: skip
def test_the_licence_is_that_of_the_base(is_embedded, licence, origin):
    card = written(is_embedded=is_embedded)
    assert card.data.license == licence
    assert lines(card, "- Base policy") == [f"- Base policy: `{POLICY}`, {origin}."]


def test_how_a_step_ends_is_said_for_every_segmenter():
    assert step_rule("countdown").startswith('a step ends with `"\\n"`')
    key = 'math {"segmenter": "%s", "step_words": 7}'
    assert '`"\\n\\n"`' in step_rule(key % "paragraph")
    assert step_rule(key % "sentence").endswith("cuts it with problems.segmenter=sentence.")
    assert step_rule(key % "words").endswith("segmenter=words, problems.step_words=7.")


SOLUTIONS = {
    "long": (["aaaa\n", "b"], "correct", "stop"), "short": (["a\n", "b"], "correct", "stop"),
    "one": (["a"], "correct", "stop"), "wrong": (["a\n", ""], "wrong", "stop"),
    "cut": (["a\n"], "truncated", "length"), "unscored": (["\n", ""], "correct", "stop"),
}  # fmt: skip


def chosen(*names):
    table = frame("solutions", [
        {"solution_id": name, "problem_id": "p", "steps": steps, "verdict": verdict,
         "finish_reason": finish, "unit_id": "u"}
        for name, (steps, verdict, finish) in SOLUTIONS.items()
    ])  # fmt: skip
    rows = [
        {"verifier": head, "solution_id": name, "num_steps": number, "score": score + number / 8}
        for head, score in (("q", 0.0), ("other", 0.5))
        for name in names
        for number in reversed(range(len(SOLUTIONS[name][0]) + 1))
    ]
    return card_example(
        domain("countdown"), {"p": PROBLEM}, solutions=table, rows=rows,
        otherwise=Prefix("p", ("z",), True),
    )  # fmt: skip


def test_the_example_is_the_shortest_whole_right_solution_that_was_scored():
    shown = chosen("long", "short", "one", "wrong", "cut")
    assert shown.steps == ("a\n", "b")
    assert (shown.prompt, shown.is_finished) == ("1 3 20 -> 24\n", True)
    assert shown.scores == (0.0, 0.125, 0.25)
    assert chosen("cut", "wrong", "one").steps == ("a",)
    assert chosen("cut", "wrong").steps == ("a\n", "")
    assert not chosen("cut").is_finished


def test_without_scores_the_example_is_a_validation_solution():
    shown = chosen()
    assert (shown.steps, shown.is_finished, shown.scores) == (("z",), True, ())


def test_the_card_is_text_that_people_read_whatever_the_language():
    asked = CardExample(PROBLEM, "Wie viel kostet ein Brötchen?\n", ("½",), True, ())
    card = written(example=asked)
    assert 'prompt = "Wie viel kostet ein Brötchen?\\n"\nsteps = ["½"]\n' in card.text
    assert str(card).endswith("that the project makes.\n")
