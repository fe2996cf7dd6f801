"""Change the shipped code in one place at a time, and say which changes no test notices.

`make mutants` draws changes at a fixed seed: a comparison turned, a sign, a constant, an `and`.
Each runs in a forked process against the tests that execute the changed line, the fast ones, and
the tests that then ran must pass on the unchanged code, else the change is not judged. Those listed
in tests/mutants_equivalent.txt, with the reason, change nothing that can be observed.
"""

import argparse
import ast
import copy
import functools
import gc
import hashlib
import importlib.abc
import importlib.util
import itertools
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.txt")
FOLDER = ROOT / "build" / "mutants"
LOG, RAN = FOLDER / "last.log", FOLDER / "ran.txt"
# Modules that are loaded before pytest cannot be rewritten by it, which it warns of.
OPTIONS = ["-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
OPTIONS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
TESTS = ["tests/models", "tests/tasks", "tests/sql", "tests/flows/test_settings_page.py"]
TURNED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
# A leak between splits is one word away.
OTHER_SPLIT = {"train": "test", "validation": "test", "test": "train"}
# Tests that start processes or train for long say little of a formula, and cost minutes.
MOST_TEST_SECONDS = 6.0
# Of all tests that one change meets, as the survey timed them; and until it is taken to hang.
MOST_TESTS_SECONDS = 20.0
MOST_SECONDS = 120


def changed(node):
    """Return the node after one change, None where this tool has none."""
    new = copy.deepcopy(node)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
        new.ops[0] = TURNED[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in TURNED:
        new.op = TURNED[type(node.op)]()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        new = new.operand
    elif isinstance(node, ast.Constant) and node.value in OTHER_SPLIT:
        new.value = OTHER_SPLIT[node.value]
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        new.value = not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        new.value = node.value + 1
    else:
        return None
    return new


def is_text(node):
    """Whether a `+`, `*` or `|` is of strings or types: nothing that a sign can be wrong in."""
    inner = list(ast.walk(node))
    texts = any(isinstance(each, ast.JoinedStr) for each in inner) or any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) for each in inner
    )
    return isinstance(node, ast.BinOp) and texts


def candidates(path):
    """Yield every possible change of a file, as a dict."""
    source = path.read_text()
    tree, rows = ast.parse(source), source.splitlines()
    skipped: set[int] = set()
    inner: set[int] = set()
    seen: Counter[tuple[str, ...]] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            inner.update(id(each) for row in node.body for each in ast.walk(row))
        notes = [getattr(node, name, None) for name in ("annotation", "returns")]
        notes += getattr(node, "decorator_list", [])
        # Messages are words; `strict` of a zip guards against slips that are not there.
        is_strict = isinstance(node, ast.keyword) and node.arg == "strict"
        if isinstance(node, ast.Raise | ast.JoinedStr) or is_strict:
            notes.append(node)
        for note in filter(None, notes):
            skipped.update(id(each) for each in ast.walk(note))
    for index, node in enumerate(ast.walk(tree)):
        if not isinstance(node, ast.expr | ast.stmt) or id(node) in skipped or is_text(node):
            continue
        if (new := changed(node)) is not None:
            line = node.lineno
            file, row = str(path.relative_to(ROOT)), rows[line - 1].strip()
            name = (file, row, ast.unparse(node), ast.unparse(new))
            seen[name] += 1
            yield {
                "name": name, "path": file, "line": line, "index": index,
                "nth": seen[name], "in_function": id(node) in inner,
            }  # fmt: skip


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a changed syntax tree, and leaves all others to the usual import."""

    def __init__(self, path, index):
        self.path, self.index = path, index
        parts = path.relative_to(ROOT).with_suffix("").parts
        self.name = ".".join(("pav", *(part for part in parts if part != "__init__")))

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def exec_module(self, module):
        tree = ast.parse(self.path.read_text())
        old = list(ast.walk(tree))[self.index]
        new = ast.copy_location(changed(old), old)

        class Swap(ast.NodeTransformer):
            def visit(self, node):
                return new if node is old else self.generic_visit(node)

        swapped = ast.fix_missing_locations(Swap().visit(tree))
        exec(compile(swapped, str(self.path), "exec"), module.__dict__)


def forked(work, seconds):
    """Return the exit status of `work()` in a forked process, None where it does not end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        return _forked(work, seconds, scratch)


def _forked(work, seconds, scratch):
    child = os.fork()
    if not child:
        status = 3
        try:
            os.setsid()
            tempfile.tempdir = os.environ["TMPDIR"] = scratch
            with open(LOG, "w") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            status = int(work())
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def preload():
    """Import what every test needs but the project, so that a forked process starts at once."""
    import anyio.pytest_plugin, duckdb, hypothesis, numpy, polars, pytest  # noqa: E401, F401, I001
    import scipy.stats, sklearn.linear_model, torch, transformers  # noqa: E401, F401

    # No time limits and no examples kept from another change: the same verdict on a busy machine.
    hypothesis.settings.register_profile(
        "mutants", database=None, deadline=None, derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )  # fmt: skip
    hypothesis.settings.load_profile("mutants")
    sys.dont_write_bytecode = False
    # What is loaded here is never collected: a forked process would copy and search all of it.
    gc.freeze()


def survey():
    """Write line -> tests that execute it, and test -> seconds, from one run with coverage.

    Returns pytest's exit status; tests that fail are left out.
    """
    import coverage
    import pytest

    seconds: dict[str, float] = defaultdict(float)
    failed: set[str] = set()

    class Clock:
        def pytest_runtest_logreport(self, report):
            seconds[report.nodeid] += report.duration
            failed.update([report.nodeid] if report.failed else [])

    class Context:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item):
            measured.switch_context(item.nodeid)
            return (yield)

    measured = coverage.Coverage(
        data_file=str(FOLDER / "coverage"), include=[f"{ROOT}/models/*", f"{ROOT}/tasks/*"]
    )
    measured.start()
    status = pytest.main(
        [*OPTIONS, "-m", "not slow and not faults and not gpu", *TESTS], [Clock(), Context()]
    )
    measured.stop()
    measured.save()
    data, lines = measured.get_data(), {}
    for name in data.measured_files():
        own = data.contexts_by_lineno(name)
        relative = str(Path(name).relative_to(ROOT))
        for line, tests in own.items():
            good = sorted(test for test in tests if test and test not in failed)
            lines[f"{relative}:{line}"] = good
    quick = {test: s for test, s in seconds.items() if s <= MOST_TEST_SECONDS}
    (FOLDER / "survey.json").write_text(json.dumps({"lines": lines, "seconds": quick}))
    return status


def tests_of(mutant, known):
    """Return the tests that execute the changed line, else those that execute its file."""
    path, seconds = mutant["path"], known["seconds"]
    # What a module does when it is loaded is measured for the test that happens to load it.
    found = mutant["in_function"] and known["lines"].get(f"{path}:{mutant['line']}")
    found = found or {
        test
        for where, tests in known["lines"].items()
        if where.startswith(f"{path}:")
        for test in tests
    }
    # The module's own tests first, then the fastest: hundreds may pass through one line.
    own = Path(path).stem
    quick = [test for test in found if test in seconds]
    quick.sort(key=lambda test: (own not in test.partition("::")[0], seconds[test], test))
    total = list(itertools.accumulate(seconds[test] for test in quick))
    return tuple(test for test, s in zip(quick, total, strict=True) if s <= MOST_TESTS_SECONDS)


def run_tests(tests, mutant=None):
    """Return whether the tests pass, on the unchanged code by default, and which of them ran."""
    import pytest

    class Record:
        def pytest_runtest_logstart(self, nodeid):
            with RAN.open("a") as file:
                file.write(nodeid + "\n")

    def work():
        if mutant:
            sys.meta_path.insert(0, Changed(ROOT / mutant["path"], mutant["index"]))
        return pytest.main([*OPTIONS, "-x", *tests], [Record()])

    RAN.write_text("")
    passed = forked(work, MOST_SECONDS) == 0
    return passed, tuple(RAN.read_text().splitlines())


@functools.cache
def passes(tests):
    """Return whether the unchanged code passes the tests."""
    return run_tests(tests)[0]


def verdict(mutant, tests):
    """Return `killed`, `lived`, `untested`, or `unjudged` where unchanged code fails as well."""
    if not tests:
        return "untested"
    passed, ran = run_tests(tests, mutant)
    if passed:
        return "lived"
    return "killed" if passes(ran or tests) else "unjudged"


def drawn(paths, number, seed, *, only=""):
    """Return `number` changes of the files: a new line of code changes the draw of no other."""

    def place(mutant):
        return hashlib.sha256(repr((seed, mutant["name"], mutant["nth"])).encode()).digest()

    every = [each for path in paths for each in candidates(path) if only in each["name"][1]]
    every.sort(key=place)
    return sorted(every[:number], key=lambda each: (each["path"], each["line"]))


def equivalents():
    """Return (file, line of code, before, after) -> reason."""
    rows = EQUIVALENT.read_text().splitlines()
    cells = [row.split(" :: ") for row in rows if row and not row.startswith("#")]
    return {tuple(cell.strip() for cell in row[:4]): row[4] for row in cells}


def main():
    """Draw, run and print; the exit status is 1 where under 90 % of the changes are noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only lines of code that hold this text")
    parser.add_argument("--again", action="store_true", help="use the last survey of tests")
    parser.add_argument("paths", nargs="*", default=["models", "tasks/train/data.py"])
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    preload()
    if not options.again:
        print("which tests execute which lines (some minutes)", flush=True)
        if forked(survey, 3600) not in (0, 1):
            sys.exit(f"the tests could not be surveyed: see {LOG}")
    known = json.loads((FOLDER / "survey.json").read_text())
    named = [ROOT / path for path in options.paths]
    paths = {p for path in named for p in ([path] if path.is_file() else path.rglob("*.py"))}
    same = equivalents()
    counts: Counter[str] = Counter()
    for mutant in drawn(paths, options.number, options.seed, only=options.only):
        path, code, before, after = mutant["name"]
        listed = mutant["name"] in same
        outcome = "equivalent" if listed else verdict(mutant, tests_of(mutant, known))
        counts[outcome] += 1
        if outcome not in ("killed", "equivalent"):
            print(f"{outcome}  {path}:{mutant['line']}  {before}  ->  {after}  in  {code}")
            sys.stdout.flush()
    judged = sum(counts.values()) - counts["equivalent"]
    share = counts["killed"] / max(judged, 1)
    print(f"{dict(counts)}: {share:.1%} of {judged} changes that can be observed are noticed")
    return int(share < 0.9)


if __name__ == "__main__":
    sys.exit(main())
