from pathlib import Path

import polars as pl
import pytest

from pav.models.errors import InputError
from pav.models.settings import ProblemSettings, RunSettings
from pav.tasks.problems.plan import plan_problems

HEADER = "question,answer,split\n"


def run_settings(path: str) -> RunSettings:
    return RunSettings(problems=ProblemSettings(path=path))


def written(folder: Path, text: str, name: str = "problems.csv") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def refused(folder: Path, text: str, name: str = "problems.csv") -> str:
    """The message with which a file is refused before anything runs."""
    with pytest.raises(InputError) as error:
        plan_problems(run_settings(path=written(folder, text, name)))
    return str(error.value)


def test_bad_rows_are_all_listed_by_line_and_nothing_is_written(tmp_path: Path) -> None:
    text = HEADER + "4 9 10 13,24,train\nnonsense,24,\n4 9,x,\n4 9,13,dev\n4,9,10,13,24\n4 9,,\n"
    message = refused(tmp_path, text)
    head, *lines = message.splitlines()
    assert "problems.csv: 5 bad rows; nothing was written" in head
    assert [line.split(":")[0] for line in lines] == [
        "  line 3", "  line 4", "  line 5", "  line 6", "  line 7",
    ]  # fmt: skip
    assert "'nonsense'" in lines[0]
    assert "answer: expected a whole number or a fraction such as 8/3, got 'x'" in lines[1]
    assert "split: expected one of ('train', 'validation', 'test') or none, got 'dev'" in lines[2]
    assert "expected 3 fields, got 5" in lines[3]
    assert "answer: expected a value, got none" in lines[4]
    assert list(tmp_path.iterdir()) == [tmp_path / "problems.csv"]


def test_only_the_first_twenty_bad_rows_are_shown(tmp_path: Path) -> None:
    lines = refused(tmp_path, HEADER + "4 x,24,\n" * 33).splitlines()
    assert "33 bad rows" in lines[0]
    assert len(lines) == 22
    assert lines[-1] == "  and 13 more"


def test_bad_json_lines_are_listed_too(tmp_path: Path) -> None:
    rows = '{"question": "4 6", "answer": 24}\n{oops\n[1]\n{"answer": 3}\n'
    rows += '{"question": [4, 6], "answer": true}\n{"question": "4 6", "answer": NaN}\n'
    lines = refused(tmp_path, rows, "p.jsonl").splitlines()
    assert "5 bad rows" in lines[0]
    assert lines[1].startswith("  line 2: not JSON")
    assert lines[2] == "  line 3: expected a JSON object, got '[1]'"
    assert lines[3] == "  line 4: question: expected a value, got none"
    assert lines[4] == "  line 5: question: expected text or a whole number, got [4, 6]"
    assert lines[5] == "  line 6: answer: expected text or a whole number, got nan"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("vote", r"only answers by \('human', 'program', 'formal'\) may label, got 'vote'"),
        ("none", "only answers by .* may label, got 'none'"),
        ("guess", "expected one of .* got 'guess'"),
    ],
)
def test_answers_that_may_not_label_are_refused(source: str, reason: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"question,answer,answer_source\n4 6,24,{source}\n")
    with pytest.raises(InputError, match=f"line 2: answer_source: {reason}"):
        plan_problems(run_settings(path=path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"problems.path: cannot read '.*none.csv': No such file"):
        plan_problems(run_settings(path=str(tmp_path / "none.csv")))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"cannot read '.*folder.csv': Is a directory"):
        plan_problems(run_settings(path=str(tmp_path / "folder.csv")))


def test_an_unsupported_kind_of_file_is_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, "4 6", "problems.txt")
    assert "expected a file ending in ('.jsonl', '.csv', '.parquet')" in message


@pytest.mark.parametrize(
    ("name", "text"),
    [("p.csv", ""), ("p.csv", "question,answer\n"), ("p.jsonl", "\n \n")],
    ids=["nothing", "header alone", "blank lines"],
)
def test_an_empty_problem_set_is_refused(name: str, text: str, tmp_path: Path) -> None:
    assert "the problem set is empty" in refused(tmp_path, text, name)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    assert "['answer'] not in ['question', 'target']" in refused(tmp_path, "question,target\n4,5\n")
    path = tmp_path / "p.parquet"
    pl.DataFrame({"nums": [1]}).write_parquet(path)
    with pytest.raises(InputError, match=r"\['question', 'answer'\] not in \['nums'\]"):
        plan_problems(run_settings(path=str(path)))


def test_files_that_are_not_what_their_name_says_are_refused(tmp_path: Path) -> None:
    assert "not a Parquet file" in refused(tmp_path, "question,answer\n", "p.parquet")
    assert "line 2 is not CSV" in refused(tmp_path, 'question,answer\n"4 6" x,24\n')
    path = tmp_path / "latin.csv"
    path.write_bytes(b"question,answer\n4 6,24\n\xe9,3\n")
    with pytest.raises(InputError, match="line 3 is not UTF-8"):
        plan_problems(run_settings(path=str(path)))


def test_one_problem_in_two_splits_is_refused_with_both_lines(tmp_path: Path) -> None:
    message = refused(tmp_path, HEADER + "4 6,24,train\n1 2,3,test\n6 4,24,test\n")
    assert (
        "line 4: split: the same problem (countdown:4 6=24) is in 'train' on line 2 and in 'test'"
    ) in message


def test_two_problems_with_one_id_are_refused_with_both_lines(tmp_path: Path) -> None:
    text = "question,answer,problem_id\n4 6,24,a\n1 2,3,b\n1 5,6,a\n"
    message = refused(tmp_path, text)
    assert "line 4: problem_id: 'a' is already that of another problem on line 2" in message
