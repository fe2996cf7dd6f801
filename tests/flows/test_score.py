"""`pav score`: a line for the prompt, for each step and for the whole, or every bad row named."""

import json
from pathlib import Path

import polars as pl
import pytest

from pav.tasks.score.verifier import Solution, load_verifier
from tests.untrained_verifier import untrained

STEPS = ["3 - 1 = 2 left 2 20\n", "20 + 2 = 22 left 22"]
PROMPT = "1 3 20 -> 24\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return untrained(tmp_path_factory.mktemp("verifier"), ["q"])


def written(rows, name="rows.jsonl"):
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def test_a_solution_gives_a_line_for_its_prompt_each_step_and_the_whole(pav_here, folder):
    name = written([{"prompt": PROMPT, "steps": STEPS}])
    status, out, err = pav_here("score", name, "--verifier", folder)
    rows = [json.loads(line) for line in out.splitlines()]
    first, second = load_verifier(folder).score(PROMPT, STEPS)
    [whole] = load_verifier(folder).score_all([Solution(PROMPT, tuple(STEPS))])
    assert status == 0
    assert rows == [
        {"line": 1, "row": "prompt", "step": 0, "text": PROMPT, "score": near(whole.prompt)},
        {"line": 1, "row": "step", "step": 1, "text": STEPS[0], "score": near(first),
         "change": near(first - whole.prompt)},
        {"line": 1, "row": "step", "step": 2, "text": STEPS[1], "score": near(second),
         "change": near(second - first)},
        {"line": 1, "row": "solution", "num_steps": 2, "is_finished": True,
         "last": near(second), "min": near(min(first, second)), "product": near(first * second)},
    ]  # fmt: skip
    assert err == "rows.jsonl: 1 solutions with 2 steps scored by q\n"


def near(number):
    return pytest.approx(number, abs=1e-6)


def wholes(out):
    rows = [json.loads(line) for line in out.splitlines()]
    return [row for row in rows if row["row"] == "solution"]


def test_questions_and_responses_are_put_into_the_form_of_the_training(pav_here, folder):
    name = written([
        {"prompt": PROMPT, "steps": STEPS},
        {"question": "1 3 20", "answer": 24, "response": "".join(STEPS)},
        {"prompt": PROMPT, "response": "".join(STEPS), "finish_reason": "stop"},
        {"prompt": PROMPT, "response": "".join(STEPS), "finish_reason": "length"},
    ])  # fmt: skip
    _, out, _ = pav_here("score", name, "--verifier", folder)
    first, *same, cut = wholes(out)
    assert [row["line"] for row in wholes(out)] == [1, 2, 3, 4]
    for each in same:
        assert each | {"line": 1} == {
            key: near(value) if isinstance(value, float) else value for key, value in first.items()
        }
    assert not cut["is_finished"]
    assert cut["last"] != near(first["last"])


def test_tables_are_read_too_and_out_takes_the_lines(pav_here, folder):
    table = pl.DataFrame({"prompt": [PROMPT], "steps": [STEPS], "label": [1]})
    table.write_parquet("rows.parquet")
    arguments = ("--verifier", folder, "--out", "scores.jsonl")
    status, out, err = pav_here("score", "rows.parquet", *arguments)
    assert (status, err) == (0, "")
    assert out == "rows.parquet: 1 solutions with 2 steps scored by q\n"
    assert len(Path("scores.jsonl").read_text().splitlines()) == 4


def test_a_head_is_chosen_and_an_orm_says_what_it_is(pav_here, tmp_path_factory):
    folder = untrained(tmp_path_factory.mktemp("heads"), ["a", "b"], kind="orm_all")
    name = written([{"prompt": PROMPT, "steps": STEPS}])
    status, _, err = pav_here("score", name, "--verifier", folder, "--head", "b")
    assert status == 0
    assert err.endswith("scored by b; it was trained at the end of finished responses alone\n")
    status, out, err = pav_here("score", name, "--verifier", folder)
    assert (status, out) == (2, "")
    assert "expected a head of a, b, got none" in err


def test_bad_rows_are_listed_by_line_and_nothing_is_written(pav_here, folder):
    lines = [
        json.dumps({"prompt": PROMPT, "steps": STEPS}), "", "{oops", "[1]",
        '{"steps": ["a"]}', '{"prompt": "p"}', '{"prompt": 3, "steps": ["a"]}',
        '{"prompt": "p", "steps": "a"}', '{"prompt": "p", "steps": ["a", 3]}',
        '{"prompt": "p", "steps": ["a", ""]}', '{"question": "1 3 20", "response": "a"}',
        '{"question": "1 3 x", "answer": "24", "response": "a"}',
        '{"prompt": "p", "steps": ["a"], "finish_reason": "tired"}',
        json.dumps({"prompt": "p", "response": "7 " * 300}),
    ]  # fmt: skip
    Path("rows.jsonl").write_text("\n".join(lines))
    status, out, err = pav_here("score", "rows.jsonl", "--verifier", folder, "--out", "o.jsonl")
    head, *listed = err.splitlines()
    assert (status, out) == (2, "")
    assert "rows.jsonl: 12 bad rows; nothing was written" in head
    assert [line.split(":")[0] for line in listed] == [f"  line {n}" for n in range(3, 15)]
    for words in (
        "line 5: prompt: expected the text before the first step, or a question, got none",
        "line 6: steps: expected a list of texts, or a response, got none",
        "line 7: prompt: expected text, got 3", "line 8: steps: expected a list",
        "line 9: steps: expected text as item 2, got 3", "line 10: step 2: expected text, got ''",
        "line 11: answer: expected the target", "line 12: question: expected 2 to 6 whole",
        "line 13: finish_reason: expected one of ('stop', 'length', 'open', 'unknown'), got",
        "line 14: expected at most 256 tokens",
    ):  # fmt: skip
        assert words in err
    assert not Path("o.jsonl").exists()


WRONG = {
    "no file": (["none.jsonl"], "FILE: cannot read 'none.jsonl'"),
    "other kind": (["rows.txt"], "FILE: expected a file ending in"),
    "no rows": (["empty.jsonl"], "empty.jsonl: expected rows with prompt or question"),
    "no such folder": (["rows.jsonl", "--verifier", "nowhere"], "found no such folder"),
    "no folder for the output": (["rows.jsonl", "--out", "no/o.jsonl"], "got 'no/o.jsonl'"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_message_and_status_2(pav_here, folder, arguments, words):
    written([{"prompt": PROMPT, "steps": STEPS}])
    Path("empty.jsonl").write_text("\n")
    more = () if "--verifier" in arguments else ("--verifier", folder)
    status, out, err = pav_here("score", *arguments, *more)
    assert (status, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
