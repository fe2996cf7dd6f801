"""`make faults`: every stage is killed midway, resumed, and ends with the same content."""

import shutil
from pathlib import Path

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("stage", ["sample", "train"])
def test_a_killed_stage_goes_on_to_the_same_results(smoke, smoke_copy, kill_and_resume, stage):
    smoke_copy.forget(stage)
    kill_and_resume(stage, smoke_copy, part=stage, condition=lambda: smoke_copy.manifests(stage))
    assert smoke_copy.contents(stage) == smoke.contents(stage)


PLANNERS = {
    "first pit": ["label.planner=first_pit"],
    "tree search": ["label.planner=tree_search"],
    "budget": ["label.planner=adaptive", "label.budget=3000", "label.block_size=1"],
}


@pytest.mark.parametrize("planner", PLANNERS)
def test_killed_labels_of_a_planner_go_on_to_the_same_labels(
    smoke, smoke_copy, pav, tmp_path, kill_and_resume, planner
):
    options = [word for each in PLANNERS[planner] for word in ("--set", each)]
    undisturbed = type(smoke_copy)(Path(shutil.copytree(smoke.path, tmp_path / "other")))
    assert pav("label", "smoke", "--store", undisturbed.path, *options).status == 0
    before = len(smoke_copy.manifests("label"))
    # Under a budget the third manifest is midway through the rounds.
    kill_and_resume(
        "label", smoke_copy, part="label", options=options,
        condition=lambda: len(smoke_copy.manifests("label")) >= before + 3,
    )  # fmt: skip
    assert len(smoke_copy.manifests("label")) > before
    assert smoke_copy.contents("label") == undisturbed.contents("label")
    assert smoke_copy.contents("allocate") == undisturbed.contents("allocate")


def test_search_results_after_a_kill_are_those_of_an_undisturbed_run(
    smoke, smoke_copy, kill_and_resume
):
    smoke_copy.forget("evaluate")
    kill_and_resume(
        "evaluate", smoke_copy, part="evaluate", condition=lambda: smoke_copy.manifests("evaluate")
    )
    assert smoke_copy.rows("evaluate", "search_results").equals(
        smoke.rows("evaluate", "search_results")
    )


@pytest.mark.parametrize(
    ("stage", "part"), [("prepare", "pretrain"), ("train", "train")], ids=["pretrain", "train"]
)
def test_a_killed_training_goes_on_from_its_last_saved_state(
    smoke, smoke_copy, kill_and_resume, stage, part
):
    smoke_copy.forget(part)
    partial = smoke_copy.path / "partial"
    kill_and_resume(
        stage, smoke_copy, part=part, condition=lambda: list(partial.glob(f"{part}-*.state"))
    )
    assert smoke_copy.contents(part) == smoke.contents(part)
    assert list(partial.glob(f"{part}-*.state")) == []


def test_a_killed_report_is_written_again(smoke, smoke_copy, kill_and_resume):
    for path in (smoke_copy.path / "runs").glob("*/report*"):
        path.unlink()
    (smoke_copy.path / "labels.json").unlink()
    kill_and_resume(
        "report", smoke_copy, part="report",
        condition=lambda: (smoke_copy.path / "labels.json").exists(),
    )  # fmt: skip
    [report] = (smoke_copy.path / "runs").glob("*/report.html")
    assert report.stat().st_size > 10_000
