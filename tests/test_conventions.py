"""What CONTRIBUTING asks of every shipped file, checked."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = [
    path for name in ("flows", "tasks", "models", "sql") for path in (ROOT / name).rglob("*.py")
]
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 60
BANNED_STEMS = {"utils", "helpers", "common", "manager", "misc"}


def functions(path):
    tree = ast.parse(path.read_text())
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def named(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SHIPPED, ids=named)
def test_files_and_functions_are_short(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions(path)}
    assert {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_modules_are_named_for_what_they_hold():
    assert [named(path) for path in SHIPPED if path.stem in BANNED_STEMS] == []


def test_shipped_code_has_no_placeholder():
    words = ("TODO", "FIXME", "XXX", "NotImplementedError")
    found = [named(path) for path in SHIPPED if any(word in path.read_text() for word in words)]
    assert found == []


def test_only_borders_of_processes_checkpoints_and_plugins_catch_every_exception():
    catchers = sorted(named(p) for p in SHIPPED if "except Exception" in p.read_text())
    assert catchers == [
        "flows/endings.py",
        "models/plugins.py",
        "tasks/engine/checkpoints.py",
        "tasks/runner/process.py",
    ]


def test_shipped_code_holds_no_absolute_path():
    def is_path(node):
        return (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith(("/work", "/home", "/root", "/Users"))
        )

    found = [named(p) for p in SHIPPED if any(map(is_path, ast.walk(ast.parse(p.read_text()))))]
    assert found == []


def test_pages_name_only_files_that_exist():
    names = r"(?<![\w/.])(?:tests/)?(?:flows|tasks|models|sql|tests)/[\w/]+\.(?:py|sql|j2)"
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "tests/mutants_equivalent.txt",
    ]
    # The changelog tells what was; its names are of their day.
    told = {
        page: set(re.findall(names, page.read_text())) for page in pages if page.stem != "CHANGELOG"
    }
    missing = {named(page): sorted(name for name in found if not (ROOT / name).exists())
               for page, found in told.items()}  # fmt: skip
    assert {page: names for page, names in missing.items() if names} == {}
