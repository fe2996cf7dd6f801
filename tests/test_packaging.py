"""What is installed is what lies on disk, and the README promises two commands that exist."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("configs", "flows", "models", "sql", "tasks")
TOP_LEVEL = {
    "pyproject.toml", "README.md", "Makefile", "constraints.txt", "CONTRIBUTING.md",
    "ARCHITECTURE.md", "flows", "tasks", "models", "sql", "tests", "configs", "docs",
    "prefect.yaml", "LICENSE", "CITATION.cff", "CHANGELOG.md",
}  # fmt: skip


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [Path(line) for line in listed.stdout.splitlines()]


def test_the_top_level_has_the_names_of_the_design():
    visible = {path.parts[0] for path in tracked()} - {".ci", ".gitignore"}
    assert visible == TOP_LEVEL


def test_the_package_list_equals_the_folders_with_modules(project):
    on_disk = {
        "pav." + ".".join(path.parent.relative_to(ROOT).parts)
        for part in PARTS
        for path in (ROOT / part).rglob("*.py")
    }
    assert set(project["tool"]["setuptools"]["packages"]) == on_disk


def test_no_package_is_a_namespace(project):
    for package in project["tool"]["setuptools"]["packages"]:
        assert (ROOT / Path(*package.split(".")[1:]) / "__init__.py").is_file(), package


@pytest.mark.slow
def test_the_wheel_has_every_module_and_data_file(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    copy = tmp_path / "source"
    for path in tracked():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_bytes((ROOT / path).read_bytes())
    subprocess.run([*command, "-w", str(tmp_path), str(copy)], check=True, capture_output=True)
    [wheel] = tmp_path.glob("pav-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    suffixes = {".py", ".sql", ".yaml", ".typed", ".j2", ".css", ".js"}
    wanted = {
        f"pav/{path}" for path in tracked() if path.parts[0] in PARTS and path.suffix in suffixes
    }
    assert wanted - held == set()


def test_the_constraints_fix_every_direct_dependency(project):
    listed = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {_normal(line.split("==")[0]) for line in listed if "==" in line}
    declared = project["project"]["dependencies"]
    declared += project["project"]["optional-dependencies"]["dev"]
    names = {_normal(re.split(r"[\[<>=!]", line)[0]) for line in declared}
    assert names - pinned == set()


def _normal(name):
    return re.sub(r"[-_.]+", "-", name.strip().lower())


def test_the_readme_starts_with_two_commands():
    blocks = re.findall(
        r"```(?:sh|bash|console)?\n(.*?)```", (ROOT / "README.md").read_text(), re.S
    )
    assert blocks[0].split("\n")[:2] == ["make demo", "make test"]
    assert blocks[0].strip().count("\n") == 1


def test_ci_runs_exactly_what_a_developer_runs():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec make test"]
