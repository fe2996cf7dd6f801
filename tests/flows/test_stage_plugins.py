"""Stages of packages stand behind pav's own, and a faulty one is told in one message."""

import pytest

from pav.flows import forecast, plan, stages
from pav.flows.settings_file import load_settings
from pav.models.errors import InputError
from pav.tasks.store import stages as unit_stages
from pav.tasks.store.store import Store

MODULE = """
from pav.flows.stages import Stage, StagePart
from pav.tasks.store.manifests import read_tables
from pav.tasks.store.units import Unit

def stage(name, after, part=None, plan="toy_stages:units"):
    return Stage(name, "Help", "About", (StagePart(part or name, plan),), after=after)

def units(plan):
    return [Unit("a", f"a {len(plan.finished('label'))}", 1)]

def reading(plan):
    read_tables(plan.store, plan.finished("label"), "label_blocks")
    return units(plan)

A, B = stage("a", "label"), stage("b", "a")
LOST, ROUND = stage("lost", "nowhere"), stage("round", "round")
TWICE, REPORT = stage("twice", "label", "train"), stage("report", "label")
READING = stage("reading", "label", plan="toy_stages:reading")
GONE = stage("gone", "prepare", plan="toy_stages:gone")
STATUS = stage("status", "label")
"""


@pytest.fixture
def install(install_here):
    """Install the toy's stages by name for this process."""

    def run(text=MODULE, **names):
        points = {"pav.stages": {name: f"toy_stages:{value}" for name, value in names.items()}}
        install_here(("toy_stages.py", text), points=points)

    return run


def names(found):
    return [stage.name for stage in found]


def test_stages_of_packages_follow_pavs_own_in_the_order_of_what_they_read(install):
    install(b="B", a="A")
    own = ["prepare", "sample", "label", "train", "evaluate"]
    assert names(stages.all_stages()) == [*own, "a", "b"]
    assert names(stages.stages_until("b")) == ["prepare", "sample", "label", "a", "b"]
    assert names(stages.stages_until("evaluate")) == own
    assert list(stages.all_parts())[-2:] == ["a", "b"]


FAULTS = {
    "unknown stage before": ({"lost": "LOST"}, "'lost': expected `after` .* got 'nowhere'"),
    "itself before": ({"round": "ROUND"}, "'round': expected `after` .* got 'round'"),
    "a part of pav": ({"twice": "TWICE"}, "one part named 'train', got 2"),
    "the report": ({"report": "REPORT"}, "one part named 'report', got 2"),
    "another name": ({"c": "A"}, "'c' .*expected a stage of that name, got 'a'"),
}


@pytest.mark.parametrize(("points", "words"), FAULTS.values(), ids=FAULTS)
def test_a_stage_that_fits_nowhere_is_refused(install, points, words):
    install(**points)
    with pytest.raises(InputError, match=words):
        stages.all_stages()


def test_a_faulty_package_is_one_message_of_every_command(install, pav_here):
    install(text="raise OSError('no disk')", a="A")
    for command in ("--help", "sql"):
        status, out, err = pav_here(command)
        assert (status, out) == (2, "")
        assert "plug-in 'a' of toy (pav.stages = toy_stages:A)" in err
        assert len(err.splitlines()) == 1


def test_a_stage_named_like_another_command_is_refused(install, pav_here):
    install(status="STATUS")
    status, _, err = pav_here("--help")
    assert (status, "plug-in 'status' (pav.stages)" in err) == (2, True)


def test_units_of_no_known_stage_are_refused():
    with pytest.raises(InputError, match=r"stage 'a': expected an entry point .*pav\.units"):
        unit_stages.unit_stage("a")


def test_a_plan_that_is_not_there_is_named(install, tmp_path):
    install(gone="GONE")
    with pytest.raises(InputError, match="toy_stages:gone: expected module:object"):
        plan.Plan(load_settings("smoke"), Store(str(tmp_path / "store"))).part("gone")


def test_a_plan_that_reads_rows_is_not_foreseen_before_they_are_made(install, tmp_path):
    install(a="A", reading="READING")
    outlook = forecast.foresee(plan.Plan(load_settings("smoke"), Store(str(tmp_path / "store"))))
    assert outlook.missing["a"] == 1
    assert "reading" not in outlook.missing
