import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest

from pav.models.domains.countdown.domain import Countdown, is_solvable_prefix
from pav.models.errors import InputError, StoreError
from pav.models.records import Prefix, Problem
from pav.models.settings import ProblemSettings, RunSettings
from pav.models.splits import hash_split
from pav.tasks.problems.embedded import embedded_problems
from pav.tasks.problems.plan import (
    EmbeddedWork,
    FileWork,
    ProblemsWork,
    embedded_work,
    plan_problems,
)
from pav.tasks.problems.published import check_disjoint, load_problems, read_problems
from pav.tasks.problems.work import open_worker
from pav.tasks.store.datasets import frame
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome

HEADER = "question,answer,split\n"


def ignore(message: str, done: float, total: float) -> None:
    """Progress that nobody watches."""


def run_settings(**values: object) -> RunSettings:
    return RunSettings(problems=ProblemSettings.model_validate(values))


def hands(**values: object) -> EmbeddedWork:
    return embedded_work(run_settings(**values))


def run(settings: RunSettings, store: Store) -> Outcome:
    return open_worker(settings, store, "cpu", ignore)(plan_problems(settings))


def made(settings: RunSettings, folder: Path) -> list[Problem]:
    outcome = run(settings, Store(str(folder / "store")))
    table = pl.read_parquet(io.BytesIO(outcome.outputs[0].data))
    return list(load_problems(table).values())


def written(folder: Path, text: str, name: str = "problems.csv") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def counts(problems: list[Problem]) -> dict[str, int]:
    names = ("train", "validation", "test")
    return {name: sum(problem.split == name for problem in problems) for name in names}


def test_the_1362_embedded_hands_are_split_1000_100_262(tmp_path: Path) -> None:
    problems = made(RunSettings(), tmp_path)
    assert counts(problems) == {"train": 1000, "validation": 100, "test": 262}
    assert len({problem.canonical_key for problem in problems}) == 1362
    assert all(problem.split == hash_split(problem.canonical_key) for problem in problems)
    assert {(p.domain, p.answer_source, p.source) for p in problems} == {
        ("countdown", "program", "embedded")
    }


def test_limits_take_the_first_problems_of_each_split(tmp_path: Path) -> None:
    everything = made(RunSettings(), tmp_path)
    some = made(run_settings(max_train=20, max_validation=5, max_test=3), tmp_path)
    assert counts(some) == {"train": 20, "validation": 5, "test": 3}
    for split, size in (("train", 20), ("validation", 5), ("test", 3)):
        first = [problem for problem in everything if problem.split == split][:size]
        assert [problem for problem in some if problem.split == split] == first


def test_other_hands_and_targets_are_generated_within_bounds() -> None:
    work = hands(target=100, highest=20, num_numbers=6, max_train=10, max_validation=2, max_test=2)
    problems = embedded_problems(work, progress=ignore)
    assert counts(problems) == {"train": 10, "validation": 2, "test": 2}
    assert all(problem.canonical_key.endswith("=100") for problem in problems)
    assert problems == embedded_problems(work, progress=ignore)


def test_a_target_that_no_hand_reaches_is_refused() -> None:
    work = hands(target=9999, num_numbers=2)
    with pytest.raises(InputError, match=r"of countdown.*highest=13, num_numbers=2, target=9999"):
        embedded_problems(work, progress=ignore)


def test_a_mix_of_hands_has_those_of_every_number_of_numbers() -> None:
    mixed = hands(num_numbers=[3, 2], highest=9)
    alone = [hands(num_numbers=number, highest=9) for number in (2, 3)]
    keys = [{p.canonical_key for p in embedded_problems(each, progress=ignore)} for each in alone]
    problems = embedded_problems(mixed, progress=ignore)
    assert all(keys)
    assert {problem.canonical_key for problem in problems} == keys[0] | keys[1]


def test_targets_of_a_range_are_reached_and_a_hand_is_in_one_split() -> None:
    chosen = hands(num_numbers=3, targets=[10, 40], targets_per_hand=3)
    problems = embedded_problems(chosen, progress=ignore)
    assert problems == embedded_problems(chosen, progress=ignore)
    splits: dict[str, set[str]] = {}
    targets: dict[str, list[int]] = {}
    for problem in problems:
        splits.setdefault(problem.question, set()).add(problem.split)
        targets.setdefault(problem.question, []).append(int(problem.answer))
        assert is_solvable_prefix(problem, Prefix(problem.problem_id))
    assert {len(each) for each in splits.values()} == {1}
    assert set().union(*splits.values()) == {"train", "validation", "test"}
    assert {len(each) for each in targets.values()} == {1, 2, 3}
    assert all(len(set(each)) == len(each) for each in targets.values())
    everything = [target for each in targets.values() for target in each]
    # All 31 targets are drawn, none far more often than the others.
    assert (min(everything), max(everything), len(set(everything))) == (10, 40, 31)
    assert (
        counts(embedded_problems(chosen.model_copy(update={"max_train": 5}), progress=ignore))[
            "train"
        ]
        == 5
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"targets": [5]}, r"problems.targets: expected the lowest and the highest .*, got \[5\]"),
        ({"targets": [9, 5]}, r"such as \[1, 100\], got \[9, 5\]"),
        ({"targets": [0, 5]}, r"from 1 to 10000.*got \[0, 5\]"),
        ({"targets": [1, 10_001]}, r"got \[1, 10001\]"),
        ({"targets": [7, 8], "targets_per_hand": 3}, "expected at most the 2 targets.*got 3"),
    ],
)
def test_a_range_of_targets_that_is_none_is_refused_at_planning(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan_problems(run_settings(**values))


def test_a_number_of_numbers_and_a_list_of_it_alone_are_the_same_problems() -> None:
    listed = run_settings(num_numbers=[4])
    assert plan_problems(listed).unit_id == plan_problems(RunSettings()).unit_id
    ids = {
        plan_problems(run_settings(**each)).unit_id
        for each in ({}, {"num_numbers": 5}, {"num_numbers": [4, 5]}, {"targets": [1, 100]},
                     {"targets": [1, 99]}, {"targets": [1, 100], "targets_per_hand": 2})
    }  # fmt: skip
    assert len(ids) == 6


def test_the_unit_depends_on_what_decides_the_problems_and_on_nothing_else(tmp_path: Path) -> None:
    default = plan_problems(RunSettings())
    assert plan_problems(RunSettings(pipeline_seeds=(1, 2))).unit_id == default.unit_id
    assert plan_problems(run_settings(target=23)).unit_id != default.unit_id
    assert plan_problems(run_settings(max_test=3)).unit_id != default.unit_id
    text = "question,answer\n4 9 10 13,24\n"
    path = written(tmp_path, text)
    planned = plan_problems(run_settings(path=path))
    (tmp_path / "elsewhere").mkdir()
    moved = written(tmp_path / "elsewhere", text)
    assert plan_problems(run_settings(path=moved, target=7)).unit_id == planned.unit_id
    written(tmp_path, text + "1 2,3\n")
    assert plan_problems(run_settings(path=path)).unit_id != planned.unit_id


SOLUTION = {"question": "4 6", "answer": "24", "response": "4 * 6 = 24\n"}
# What is asked for, and the id that stores know such problems by.
KNOWN_UNITS = [
    ({}, "problems-6e7814a383c1b1580777"),
    ({"num_numbers": [5, 4]}, "problems-cd6f4896f5386b615940"),
    ({"num_numbers": 3, "target": 10, "max_test": 7}, "problems-3128a5ec048ca056a4d7"),
    ({"targets": [1, 100]}, "problems-152cb932ba1aa85dd6b5"),
    (
        {"targets": [1, 100], "targets_per_hand": 3, "num_numbers": [3, 4], "highest": 9},
        "problems-2ea5671abf6056df88d9",
    ),
    ({"path": "hands.csv"}, "problems-24f8a0afbce6c1ee07b9"),
    ({"path": "hands.csv", "max_train": 1}, "problems-1476856bd80c81f083fc"),
    ({"sample": {"path": "made.jsonl"}}, "problems-6bf989cacdc841be81dc"),
    (
        {"domain": "math", "path": "sums.jsonl", "segmenter": "sentence"},
        "problems-9a738ac7e042e0b5dd9f",
    ),
]


@pytest.mark.parametrize(("asked", "unit_id"), KNOWN_UNITS, ids=str)
def test_problems_keep_the_ids_that_stores_know_them_by(
    asked: dict[str, object], unit_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "question,answer\n4 9 10 13,24\n4 6,24\n", "hands.csv")
    written(tmp_path, json.dumps(SOLUTION) + "\n", "made.jsonl")
    written(tmp_path, json.dumps({"question": "2 + 2?", "answer": "4"}) + "\n", "sums.jsonl")
    problems = {name: value for name, value in asked.items() if name != "sample"}
    settings = {"problems": problems, "sample": asked.get("sample", {})}
    assert plan_problems(RunSettings.model_validate(settings)).unit_id == unit_id


@pytest.mark.parametrize(
    "asked",
    [{"num_numbers": [2, 3], "target": 10}, {"num_numbers": 3, "targets": [1, 50], "highest": 9}],
)
def test_hands_are_made_as_planned_whatever_the_settings_of_the_process(
    asked: dict[str, object], tmp_path: Path
) -> None:
    limits = {"max_train": 6, "max_validation": 2, "max_test": 3}
    settings, store = run_settings(**asked, **limits), Store(str(tmp_path))
    others = run_settings(
        domain="math", path="nowhere.csv", highest=5, num_numbers=4, target=7, targets=[2, 3],
        targets_per_hand=2, max_train=1, max_validation=1, max_test=1,
    )  # fmt: skip
    chosen = {"highest", "num_numbers", "target", "targets", "targets_per_hand"}
    fields = set(ProblemsWork.model_fields) | chosen | {"path"}
    assert others.problems.model_fields_set == fields
    unit = plan_problems(settings)
    execute = open_worker(others, store, "cpu", ignore)
    assert execute(unit).outputs == run(settings, store).outputs


@pytest.mark.parametrize("block", ["problems", "sample"])
def test_a_file_is_read_as_planned_whatever_the_settings_of_the_process(
    block: str, tmp_path: Path
) -> None:
    rows = [{**SOLUTION, "question": question, "split": "train"} for question in ("4 6", "3 8")]
    path = written(tmp_path, "\n".join(map(json.dumps, rows)), "mine.jsonl")
    given: dict[str, dict[str, object]] = {"problems": {"max_train": 1}, "sample": {}}
    given[block]["path"] = path
    # Both hold the file, as the unit says what is in it and not where it lies.
    other = {"problems": {"domain": "math", "max_train": 9}, "sample": {}}
    other[block]["path"] = path
    settings, others = map(RunSettings.model_validate, (given, other))
    store, unit = Store(str(tmp_path / "store")), plan_problems(settings)
    assert FileWork.of(unit).file == "mine.jsonl"
    outcome = open_worker(others, store, "cpu", ignore)(unit)
    assert outcome.outputs == run(settings, store).outputs
    assert outcome.outputs[0].num_rows == 1


def test_the_same_settings_make_the_same_bytes(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    settings = run_settings(max_train=10)
    assert run(settings, store).outputs == run(settings, store).outputs


def test_published_problems_are_read_back_by_the_id_of_their_unit(tmp_path: Path) -> None:
    store, settings = Store(str(tmp_path)), run_settings(max_train=5)
    unit = plan_problems(settings)
    publish(store, unit, run(settings, store))
    assert counts(list(read_problems(store, unit.unit_id).values()))["train"] == 5
    with pytest.raises(StoreError, match="problems-0"):
        read_problems(store, "problems-0")


ROWS = [
    {"question": "4 9 10 13", "answer": "24", "split": "train", "answer_source": "human"},
    {"question": "8, 3, 8, 3", "answer": "24", "split": "test", "problem_id": "hard"},
    {"question": "1 3", "answer": "1/3", "split": "validation", "answer_source": "formal"},
]


def as_csv(path: Path) -> None:
    pl.DataFrame(ROWS).write_csv(path)


def as_jsonl(path: Path) -> None:
    path.write_text("\n\n".join(json.dumps({**row, "extra": 1}) for row in ROWS))


def as_parquet(path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(path)


@pytest.mark.parametrize("write", [as_csv, as_jsonl, as_parquet])
def test_problems_are_read_from_each_kind_of_file(write, tmp_path: Path) -> None:
    path = tmp_path / f"mine.{write.__name__.removeprefix('as_')}"
    write(path)
    problems = {p.canonical_key: p for p in made(run_settings(path=str(path)), tmp_path)}
    assert len(problems) == 3
    first = problems["countdown:4 9 10 13=24"]
    assert (first.split, first.answer_source, first.source) == ("train", "human", path.name)
    hard = problems["countdown:3 3 8 8=24"]
    assert (hard.problem_id, hard.question, hard.split) == ("hard", "8 3 8 3", "test")
    assert hard.answer_source == "human"
    assert problems["countdown:1 3=1/3"].answer == "1/3"


def test_numbers_may_be_given_as_numbers(tmp_path: Path) -> None:
    rows = '{"question": "4 6", "answer": 24}\n{"question": "4 7", "answer": 28.0}\n'
    problems = made(run_settings(path=written(tmp_path, rows, "p.jsonl")), tmp_path)
    assert {problem.answer for problem in problems} == {"24", "28"}


def test_rows_without_a_split_get_the_one_of_their_hash(tmp_path: Path) -> None:
    lines = "".join(f"{a} {b},{a * b},\n" for a in range(1, 10) for b in range(a, 10))
    problems = made(run_settings(path=written(tmp_path, HEADER + lines)), tmp_path)
    assert len(problems) == 45
    assert all(problem.split == hash_split(problem.canonical_key) for problem in problems)
    assert all(counts(problems).values())


def test_a_repeated_problem_is_merged_into_the_first_and_said(tmp_path: Path) -> None:
    text = "question,answer,problem_id,split\n4 6,24,a,\n1 2,3,b,train\n6 4,24,c,test\n"
    settings = run_settings(path=written(tmp_path, text))
    said: list[str] = []
    worker = open_worker(
        settings, Store(str(tmp_path / "s")), "cpu", lambda text, *_: said.append(text)
    )
    outcome = worker(plan_problems(settings))
    assert outcome.cost["merged_rows"] == 1
    assert "merged rows that repeat an earlier problem: lines 4" in said
    problems = {problem.problem_id: problem.split for problem in made(settings, tmp_path)}
    assert problems == {"a": "test", "b": "train"}


def test_a_problem_without_any_solution_is_kept_and_said(tmp_path: Path) -> None:
    settings = run_settings(path=written(tmp_path, "question,answer\n1 1 1 1,24\n4 6,24\n"))
    said: list[str] = []
    worker = open_worker(
        settings, Store(str(tmp_path / "s")), "cpu", lambda text, *_: said.append(text)
    )
    outcome = worker(plan_problems(settings))
    assert outcome.cost["unsolvable_problems"] == 1
    assert said[-1] == "kept 1 problems that have no solution: countdown:1 1 1 1=24"
    assert len(made(settings, tmp_path)) == 2


def test_a_file_that_changed_after_planning_is_not_read(tmp_path: Path) -> None:
    settings = run_settings(path=written(tmp_path, "question,answer\n4 6,24\n"))
    unit = plan_problems(settings)
    written(tmp_path, "question,answer\n4 7,28\n")
    with pytest.raises(InputError, match="changed since the run was planned"):
        open_worker(settings, Store(str(tmp_path / "s")), "cpu", ignore)(unit)


def test_an_overlap_of_splits_cannot_be_loaded() -> None:
    hand = Countdown().problem("4 6", "24", problem_id="a", split="train")
    same = replace(hand, problem_id="b", question="6 4", split="test")
    check_disjoint([hand, replace(same, split="train")])
    with pytest.raises(InputError, match=r"'a' \(train\) and 'b' \(test\) are the same problem"):
        check_disjoint([hand, same])
    rows = [{**_row(hand), "unit_id": "u"}, {**_row(same), "unit_id": "u"}]
    with pytest.raises(InputError, match="splits must not overlap"):
        load_problems(frame("problems", rows))


def test_two_problems_with_one_id_cannot_be_loaded() -> None:
    hand = Countdown().problem("4 6", "24", problem_id="a", split="train")
    other = Countdown().problem("4 7", "28", problem_id="a", split="train")
    with pytest.raises(InputError, match="two problems have the problem_id 'a'"):
        check_disjoint([hand, other])


def _row(problem: Problem) -> dict[str, object]:
    return {name: getattr(problem, name) for name in Problem.__dataclass_fields__}


def test_published_answers_that_may_not_label_are_refused_as_well(tmp_path: Path) -> None:
    problems = made(run_settings(max_train=2, max_validation=1, max_test=1), tmp_path)
    doubtful = [replace(problems[0], answer_source="vote"), *problems[1:]]
    rows = [{**asdict(problem), "unit_id": "problems-1"} for problem in doubtful]
    with pytest.raises(InputError, match=f"may label, got 'vote' for '{problems[0].problem_id}';"):
        load_problems(frame("problems", rows))


WORKED = {"question": "How many eggs?", "answer": "16 - 3 = 13\n#### 13"}


def test_questions_in_words_are_read_with_their_worked_answers(tmp_path: Path) -> None:
    rows = [WORKED, {"question": "How  many eggs?", "answer": "13"},
            {"question": "1 + 1?", "answer": "\\boxed{2}", "split": "test"}]  # fmt: skip
    path = written(tmp_path, "\n".join(map(json.dumps, rows)), "p.jsonl")
    problems = {p.question: p for p in made(run_settings(domain="math", path=path), tmp_path)}
    assert {p.answer for p in problems.values()} == {WORKED["answer"], "\\boxed{2}"}
    assert {p.domain for p in problems.values()} == {"math"}


def test_another_way_to_cut_steps_makes_other_units(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps(WORKED), "p.jsonl")
    planned = [
        plan_problems(run_settings(domain="math", path=path, segmenter=name)).unit_id
        for name in ("line", "sentence", "line")
    ]
    assert planned[0] == planned[2] != planned[1]


def test_only_countdown_has_problems_of_its_own() -> None:
    with pytest.raises(InputError, match=r"problems\.path: expected a file of questions"):
        plan_problems(run_settings(domain="math"))


def test_a_worked_answer_without_a_mark_is_a_bad_row(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({"question": "q", "answer": "a\nb"}), "p.jsonl")
    with pytest.raises(InputError, match="line 1: answer: expected a final answer on one line"):
        plan_problems(run_settings(domain="math", path=path))


def test_one_question_with_two_answers_is_a_bad_row(tmp_path: Path) -> None:
    rows = [WORKED, {**WORKED, "answer": "13.0"}, {**WORKED, "answer": "14"}]
    path = written(tmp_path, "\n".join(map(json.dumps, rows)), "p.jsonl")
    with pytest.raises(InputError, match="1 bad row") as refused:
        plan_problems(run_settings(domain="math", path=path))
    assert "line 3: answer: the same question has the answer" in str(refused.value)
    assert "on line 1, got '14'" in str(refused.value)
