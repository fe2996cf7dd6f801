"""What a domain can do is asked of its entry, and an installed one is found by its key alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pav.models.domains import domain, embedded_of, kind_of, lessons_of, solver_of
from pav.models.errors import InputError
from pav.tasks.prepare.exercises import known_lessons
from pav.tasks.problems.plan import embedded_source
from tests.plugin_package import installed

TOY = sorted((Path(__file__).parents[2] / "recipes/domain").glob("*.py"))


def test_countdown_and_math_can_do_different_things():
    assert all(of("countdown") for of in (solver_of, embedded_of, lessons_of))
    assert not any(of("math") for of in (solver_of, embedded_of, lessons_of))
    audit = kind_of("math").audit
    assert audit is not None
    assert audit("18", "#### 18")
    assert kind_of("countdown").audit is None


def test_what_a_domain_lacks_is_told():
    with pytest.raises(InputError, match=r"problems\.path.*'math' has no embedded problems"):
        embedded_source("math")
    with pytest.raises(InputError, match="expected a domain with demonstrations, got 'math'"):
        known_lessons("math")
    with pytest.raises(InputError, match=r"one of \['countdown', 'math'\], got 'chess'"):
        domain("chess")


def in_another_process(site, key, program):
    """Run a program that knows the domain `toy` of a key, beside an installed package."""
    script = f"import sys; from pav.models.domains import domain; {program}"
    return subprocess.run(
        [sys.executable, "-c", script, key],
        env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_another_process_makes_an_installed_domain_of_its_key_alone(tmp_path):
    site = installed(tmp_path / "site", *TOY, points={"pav.domains": {"toy": "toy_sums:TOY"}})
    program = (
        "toy = domain(sys.argv[1]); "
        "print(toy.prompt(toy.problem('3 5', '8', problem_id='', split='')), end='')"
    )
    asked = in_another_process(site, 'toy {"mark": "gives"}', program)
    assert asked.stdout == "3 5 gives\n", asked.stderr


def test_a_domain_with_another_name_than_its_entry_is_refused(tmp_path):
    points = {"pav.domains": {"sums": "toy_sums:TOY"}}
    site = installed(tmp_path / "site", *TOY, points=points)
    refused = in_another_process(site, "sums", "domain(sys.argv[1])")
    assert "InputError: domain 'sums'" in refused.stderr
    assert "got 'toy'; give both one name" in refused.stderr
