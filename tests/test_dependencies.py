"""What shipped code imports is declared, what is declared is imported, and pins are constraints."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SHIPPED = ("configs", "flows", "models", "sql", "tasks")
# Installed without being imported: commands, plugins and stubs that `make test` runs.
TOOLS = {"import-linter", "mypy", "pytest-timeout", "pytest-xdist", "ruff", "types-pyyaml"}
# Exact because their output is part of the results; every other pin is in constraints.txt.
PINNED = {"math-verify"}


def imported(*folders):
    """Return the distributions behind the top-level imports of these folders' modules."""
    modules = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules.add(node.module.partition(".")[0])
    # The modules of a toy package import each other by name, as those of an installed package do.
    toys = {path.stem for path in (ROOT / "tests/recipes").rglob("*.py")}
    foreign = modules - set(sys.stdlib_module_names) - {"pav", "tests"} - toys
    known = importlib.metadata.packages_distributions()
    return {normal(known[module][0]) for module in foreign}


def normal(name):
    return re.sub(r"[-_.]+", "-", name.strip().lower())


def declared(requirements):
    """Return distribution -> the bounds that a list of requirements gives it."""
    parts = [re.findall(r"^([\w.-]+)(?:\[.*\])?(.*)$", each) for each in requirements]
    return {normal(name): bounds for [(name, bounds)] in parts}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_shipped_code_imports_exactly_what_the_project_declares(project):
    assert imported(*SHIPPED) == set(declared(project["dependencies"]))


def test_tests_import_exactly_what_the_extra_dev_adds(project):
    more = imported("tests") - set(declared(project["dependencies"]))
    # boto3 comes with moto, whose server it talks to; anyio with Prefect, and pytest loads it.
    assert (
        more - {"anyio", "boto3"} == set(declared(project["optional-dependencies"]["dev"])) - TOOLS
    )


def test_versions_that_are_no_requirement_stand_in_the_constraints_alone(project):
    exact = {name for name, bounds in declared(project["dependencies"]).items() if "==" in bounds}
    assert exact == PINNED
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert {"torch==2.13.0", "fastapi==0.150.0", "latex2sympy2_extended==1.11.0"} <= set(pins)


def test_the_licence_is_named_where_people_and_programs_look(project):
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text.splitlines()[1]
    assert "Version 2.0, January 2004" in text


def test_the_citation_names_this_version_its_licence_and_the_paper(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    for name in ("version", "license"):
        assert citation[name] == project[name]
    assert [author["name"] for author in project["authors"]] == [
        author["name"] for author in citation["authors"]
    ]
    [paper] = citation["references"]
    assert paper["url"].endswith("2410.08146")
