"""Kinds of verifier: their names, what may not clash, and what planning them costs."""

import subprocess
import sys
from dataclasses import replace

import polars as pl
import pytest

from pav.models.errors import InputError
from pav.models.settings import RunSettings
from pav.models.verifiers import kinds
from pav.models.verifiers.kind import VerifierSpec
from pav.models.verifiers.kinds import KINDS, head_title, kind_named, verifier_specs
from pav.models.verifiers.outcomes import ORM_ALL
from pav.models.verifiers.published import Published


def spec(name="toy", *, heads=("toy",), steps=9):
    count = len(heads)
    return VerifierSpec(
        name=name, heads=heads, policies=("base",) * count, best_of_k=(1,) * count, steps=steps
    )


def added(monkeypatch, *specs):
    """Add the kind `toy`, which asks for these networks."""
    toy = replace(ORM_ALL, specs=lambda settings: specs, titles={"toy": "a toy"})
    monkeypatch.setattr(kinds, "KINDS", {**KINDS, "toy": toy})


def test_the_kinds_of_the_package_are_three():
    assert list(KINDS) == ["q", "orm_all", "orm_seed"]


def test_a_kind_that_nobody_added_is_named_with_those_that_there_are():
    with pytest.raises(
        InputError, match=r"a: expected a kind of q, orm_all, orm_seed, got 'hard'; ins"
    ):
        kind_named("hard", where="a")


def test_the_long_trainings_stand_first(monkeypatch):
    settings = RunSettings()
    steps = settings.train.steps
    added(monkeypatch, spec("toy", steps=steps), spec("short", heads=("s",), steps=1))
    found = [(kind, network.name) for kind, network in verifier_specs(settings)]
    assert found[:4] == [("q", "q"), ("orm_all",) * 2, ("orm_seed",) * 2, ("toy", "toy")]
    assert found[-1] == ("toy", "short")
    assert {name for _, name in found[4:-1]} == {"q_weak", "q_strong"}


@pytest.mark.parametrize("clash", [spec("q"), spec("toy", heads=("toy", "orm_all"))])
def test_a_plugin_takes_no_head_that_searches_read(monkeypatch, clash):
    added(monkeypatch, clash)
    with pytest.raises(InputError, match=r"names of their own, got '(q|orm_all)' of .* and 'toy'"):
        verifier_specs(RunSettings())


@pytest.mark.parametrize("change", [
    {"heads": ()}, {"heads": ("a", "a")}, {"heads": ("a", "b")}, {"policies": ()},
    {"best_of_k": (1, 2)}, {"heads": (), "policies": (), "best_of_k": ()},
])  # fmt: skip
def test_each_head_has_a_name_a_policy_and_a_k(change):
    with pytest.raises(InputError, match="verifier 'toy': expected distinct heads"):
        replace(spec(), **change)


@pytest.mark.parametrize("value", [(1, 2), float("nan"), {1: 2}, {1}, b"a"])
def test_knobs_come_back_from_a_unit_as_they_went_in(value):
    kept = {"a": None, "b": [1, {"c": 0.5}]}
    assert replace(spec(), knobs=kept).knobs == kept
    with pytest.raises(InputError, match="verifier 'toy': expected knobs as JSON has them"):
        replace(spec(), knobs={"a": value})


def test_heads_are_called_as_their_kind_says(monkeypatch):
    added(monkeypatch)
    assert [head_title(head) for head in ("q", "orm_seed", "toy", "q_bo4")] == [
        "Q", "ORM, seed solutions", "a toy", "q_bo4",
    ]  # fmt: skip


def test_planning_what_is_trained_imports_no_torch():
    code = (
        "import sys\n"
        "from pav.models.settings import RunSettings\n"
        "from pav.tasks.train.plan import verifier_specs\n"
        "print(len(verifier_specs(RunSettings())), 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5", "False"]


def test_rows_of_some_problems_lead_to_no_other_problem():
    published = Published(
        pl.DataFrame({"solution_id": ["a1", "b1"], "problem_id": ["a", "b"]}),
        pl.DataFrame({"prefix_id": ["a:0", "b:0", "b:1"], "problem_id": ["a", "b", "b"]}),
        pl.DataFrame({"solution_id": ["a1", "b1", "b1"], "prefix_id": ["a:0", "b:0", "b:1"]}),
        pl.DataFrame({"prefix_id": ["b:1", "a:0", "b:0", "a:0"]}),
    )
    own = published.of_problems({"b"})
    assert own.solutions["solution_id"].to_list() == ["b1"]
    assert own.prefixes["prefix_id"].to_list() == ["b:0", "b:1"]
    assert own.solution_prefixes["prefix_id"].to_list() == ["b:0", "b:1"]
    assert own.rollouts["prefix_id"].to_list() == ["b:1", "b:0"]
