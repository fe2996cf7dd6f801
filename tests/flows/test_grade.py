import json

import pytest

ROWS: list[dict[str, object]] = [
    {"question": "How many?", "answer": "so\n#### 18", "response": "#### $18.00", "expected": True},
    {"answer": "18", "response": "#### 118", "expected": False, "name": "kept"},
    {"answer": 18, "response": "no mark", "expected": "unparsed"},
    {"answer": "18", "response": "#### 18", "finish_reason": "length"},
]


def written(folder, rows, name="rows.jsonl"):
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def test_rows_come_back_with_verdict_and_reason_and_the_table_on_stderr(pav_here, tmp_path):
    status, out, err = pav_here("grade", written(tmp_path, ROWS), "--domain", "math")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [row["verdict"] for row in rows] == ["correct", "wrong", "unparsed", "truncated"]
    assert rows[1] == {**ROWS[1], "verdict": "wrong", "reason": "another answer"}
    assert rows[2]["reason"] == "no answer found"
    assert "agreement 3 of 3 (100.00%)" in err


def test_with_out_the_rows_are_in_the_file_and_the_table_on_stdout(pav_here, tmp_path):
    name = written(tmp_path, ROWS)
    status, out, err = pav_here("grade", name, "--domain", "math", "--out", "graded.jsonl")
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split()[0] == "expected"
    assert len((tmp_path / "graded.jsonl").read_text().splitlines()) == len(ROWS)


def test_without_expectations_there_is_no_table(pav_here, tmp_path):
    rows = [{"answer": "1", "response": "#### 1"}]
    status, _, err = pav_here("grade", written(tmp_path, rows), "--domain", "math")
    assert (status, err) == (0, "")


def test_the_audit_lists_the_rows_that_a_second_grader_reads_otherwise(pav_here, tmp_path):
    rows = [
        {"answer": "18", "response": "#### 18"},
        {"answer": "18", "response": "I get 18 in the end"},
        {"answer": "18", "response": "#### 19"},
    ]
    status, _, err = pav_here("grade", written(tmp_path, rows), "--domain", "math", "--audit")
    head, *listed = err.splitlines()
    assert status == 0
    assert head == "audit: the second grader can tell of 3 of 3 rows, and disagrees on 1"
    assert [line.split(":")[0] for line in listed] == ["  line 2"]
    assert "unparsed, audit says right" in listed[0]


def test_countdown_rows_are_graded_too(pav_here, tmp_path):
    steps = "6 + 6 = 12 left 6 6 12\n6 + 12 = 18 left 6 18\n6 + 18 = 24 left 24"
    rows = [{"question": "6 6 6 6", "answer": 24, "response": steps, "expected": True}]
    status, out, err = pav_here("grade", written(tmp_path, rows), "--domain", "countdown")
    assert (status, json.loads(out)["verdict"]) == (0, "correct")
    assert "agreement 1 of 1" in err


def test_bad_rows_are_listed_by_line_and_nothing_is_written(pav_here, tmp_path):
    lines = [
        '{"answer": "1", "response": "#### 1"}', "", "{oops", "[1]", '{"response": "x"}',
        '{"answer": "1"}', '{"answer": "1", "response": ["x"]}',
        '{"answer": "1", "response": "x", "expected": "maybe"}',
        '{"answer": "1", "response": "x", "finish_reason": "tired"}',
        '{"answer": "a\\nb", "response": "x"}',
    ]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    status, out, err = pav_here("grade", "rows.jsonl", "--domain", "math", "--out", "graded.jsonl")
    head, *listed = err.splitlines()
    assert (status, out) == (2, "")
    assert "rows.jsonl: 8 bad rows; nothing was written" in head
    assert [line.split(":")[0] for line in listed] == [f"  line {n}" for n in range(3, 11)]
    assert "expected: expected true, false or one of correct, wrong" in err
    assert not (tmp_path / "graded.jsonl").exists()


WRONG = {
    "no file": (["grade", "none.jsonl", "--domain", "math"], "cannot read 'none.jsonl'"),
    "no domain": (["grade", "rows.jsonl"], "--domain"),
    "other domain": (
        ["grade", "rows.jsonl", "--domain", "chess"],
        "--domain: expected one of countdown, math, got 'chess'",
    ),
    "no such folder": (
        ["grade", "rows.jsonl", "--domain", "math", "--out", "no/out.jsonl"],
        "got 'no/out.jsonl'",
    ),
    "pattern": (
        ["grade", "rows.jsonl", "--domain", "math", "--set", "problems.answer_pattern=(a)(b)"],
        "exactly one group",
    ),
    "audit": (
        ["grade", "rows.jsonl", "--domain", "countdown", "--audit"],
        "such as math, got countdown",
    ),
    "no data": (["bench", "grading"], "--data FOLDER"),
    "other data": (["bench", "grading", "--data", "nowhere"], "cannot read 'nowhere/gsm8k"),
    "no path": (["run", "--set", "problems.domain=math"], "prepare.policies.weak.path"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_message_and_status_2(pav_here, tmp_path, arguments, words):
    written(tmp_path, [{"answer": "1", "response": "#### 1"}])
    status, out, err = pav_here(*arguments)
    assert (status, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
