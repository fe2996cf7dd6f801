"""`pav import` and `pav export` as a user types them."""

import json
import os

ROW = {
    "input": "How many? Step 1: 4 ки\nStep 2: 5 The answer is: 5 ки",
    "label": "How many? Step 1: 4 +\nStep 2: 5 The answer is: 5 -",
    "task": "GSM8K",
}


def test_what_is_imported_can_be_asked_checked_and_exported(pav_here, tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW) + "\n")
    status, out, _ = pav_here("import", "math-shepherd", "rows.jsonl", "--json")
    assert status == 0
    assert json.loads(out)["labels"] == {"hard": 2}
    assert pav_here("check")[0] == 0
    query = "select num_steps, value from imported_labels order by num_steps"
    _, out, _ = pav_here("sql", query, "--format", "json")
    assert json.loads(out) == [{"num_steps": 1, "value": 1.0}, {"num_steps": 2, "value": 0.0}]
    status, out, err = pav_here("export", "math-shepherd", "--out", "back.jsonl")
    assert (status, err) == (0, "")
    assert "1 rows" in out
    assert json.loads((tmp_path / "back.jsonl").read_text()) == ROW


def test_another_domain_is_a_setting(pav_here, tmp_path):
    row = {"question": "6 6 6 6", "answer": 24, "response": "6 + 6 = 12 left 6 6 12\n"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    status, out, _ = pav_here("import", "plain", "rows.jsonl", "--set", "problems.domain=countdown")
    assert status == 0
    assert "verdicts: 1 wrong" in out


def test_losses_are_said_on_standard_error(pav_here, tmp_path):
    node = {"text": "Q?", "mc_value": 0.5, "children": [
        {"text": "A", "mc_value": 0.25, "children": []}]}  # fmt: skip
    row = {"question": "Q?", "final_answer": "4", "reasoning_steps": node}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    assert pav_here("import", "omegaprm-tree", "rows.jsonl")[0] == 0
    status, _, err = pav_here("export", "trl", "--out", "out.jsonl")
    assert status == 0
    assert "soft values are lost" in err


def test_wrong_input_is_one_message_and_status_2(pav_here, tmp_path):
    (tmp_path / "rows.jsonl").write_text("not json\n")
    for arguments, message in (
        (("import", "math-shepherd", "rows.jsonl"), "line 1: not JSON"),
        (("import", "tsv", "rows.jsonl"), "is not one of"),
        (("import", "plain", "none.jsonl"), "FILE: cannot read"),
        (("export", "trl", "--out", "no/such/folder"), "--out: expected a file in a folder"),
        (("export", "trl", "--out", "out.jsonl"), "no database yet"),
    ):
        status, out, err = pav_here(*arguments)
        assert (status, out) == (2, ""), arguments
        assert message in err


def test_bytes_that_are_no_text_are_one_message_and_status_2(pav_here, tmp_path):
    name = os.fsdecode(b"\xff.jsonl")
    (tmp_path / name).write_text('{"question": "Q?", "response": "A"}')
    (tmp_path / "rows.jsonl").write_text('{"question": "\\ud800", "response": "A"}')
    for arguments, message in (
        (("import", "plain", name), "arguments in UTF-8, got '\\udcff.jsonl'"),
        (("import", "plain", "rows.jsonl", "--policy", name), "arguments in UTF-8"),
        (("import", "plain", "rows.jsonl"), "line 1: 'question': expected text, got '\\ud800'"),
        (("grade", "rows.jsonl", "--domain", "math"), "line 1: 'question': expected text"),
    ):
        status, out, err = pav_here(*arguments)
        assert (status, out) == (2, ""), arguments
        assert message in err
