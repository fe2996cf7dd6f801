"""`make faults`: every stage is killed midway, resumed, and ends with the same content."""

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("stage", ["sample", "train"])
def test_a_killed_stage_goes_on_to_the_same_results(smoke, smoke_copy, kill_and_resume, stage):
    smoke_copy.forget(stage)
    kill_and_resume(stage, smoke_copy, part=stage, condition=lambda: smoke_copy.manifests(stage))
    assert smoke_copy.contents(stage) == smoke.contents(stage)


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
        stage, smoke_copy, part=part, condition=lambda: list(partial.glob(f"{part}-*/state"))
    )
    assert smoke_copy.contents(part) == smoke.contents(part)
    assert list(partial.glob(f"{part}-*/state")) == []


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
