"""Change the shipped code in one place at a time, and say which changes no test notices.

`make mutants` draws changes at a fixed seed: a comparison turned, a sign, a constant, an `and`.
Each runs in a forked process against the tests that execute the changed line, fastest first. Those
listed in tests/mutants_equivalent.txt, with the reason, change nothing that can be observed.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.txt")
FOLDER = ROOT / "build" / "mutants"
LOG = FOLDER / "last.log"
# Modules that are loaded before pytest cannot be rewritten by it, which it warns of.
OPTIONS = ["-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
OPTIONS += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
TESTS = ["tests/models", "tests/tasks", "tests/sql"]
TURNED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
# Tests that start processes or train for long say little of a formula, and cost minutes.
MOST_TEST_SECONDS = 6.0
MOST_SECONDS = 90


def changed(node):
    """Return the node after one change, None where this tool has none."""
    new = copy.deepcopy(node)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in TURNED:
        new.ops[0] = TURNED[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in TURNED:
        new.op = TURNED[type(node.op)]()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        new = new.operand
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
    """Yield (line, before, after, index of the node) of every possible change of a file."""
    tree = ast.parse(path.read_text())
    skipped = set()
    for node in ast.walk(tree):
        notes = [getattr(node, name, None) for name in ("annotation", "returns")]
        notes += getattr(node, "decorator_list", [])
        if isinstance(node, ast.Raise | ast.JoinedStr):
            notes.append(node)
        for note in filter(None, notes):
            skipped.update(id(each) for each in ast.walk(note))
    for index, node in enumerate(ast.walk(tree)):
        new = changed(node) if id(node) not in skipped and not is_text(node) else None
        if new is not None:
            yield node.lineno, ast.unparse(node), ast.unparse(new), index


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
    child = os.fork()
    if not child:
        status = 3
        try:
            os.setsid()
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
    import duckdb, numpy, polars, pytest, scipy.stats, torch, transformers  # noqa: E401, F401, I001


def survey():
    """Return line -> tests that execute it, and test -> seconds, from one run with coverage."""
    import coverage
    import pytest

    seconds, failed = defaultdict(float), set()

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
    pytest.main(
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


def tests_of(mutant, known):
    """Return the tests that execute the changed line, else those that execute its file."""
    path, line = mutant["path"], mutant["line"]
    found = known["lines"].get(f"{path}:{line}") or sorted(
        {t for where, ts in known["lines"].items() if where.startswith(f"{path}:") for t in ts}
    )
    quick = [test for test in found if test in known["seconds"]]
    return sorted(quick, key=lambda test: known["seconds"][test])


def verdict(mutant, tests):
    """Return `killed`, `lived` or `untested`."""
    if not tests:
        return "untested"

    def work():
        import pytest

        sys.meta_path.insert(0, Changed(ROOT / mutant["path"], mutant["index"]))
        return pytest.main([*OPTIONS, "-x", *tests[:400]])

    return "lived" if forked(work, MOST_SECONDS) == 0 else "killed"


def drawn(paths, number, seed):
    """Return `number` changes of the files, the same ones for the same code and seed."""
    every = [
        {"path": str(path.relative_to(ROOT)), "line": line, "before": old, "after": new, "index": i}
        for path in sorted(paths)
        for line, old, new, i in candidates(path)
    ]
    return random.Random(seed).sample(every, min(number, len(every)))


def equivalents():
    """Return (file, before, after) -> reason, from lines `file | before | after | reason`."""
    rows = EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []
    cells = [row.split(" | ") for row in rows if row and not row.startswith("#")]
    return {tuple(cell.strip() for cell in row[:3]): row[3] for row in cells}


def main():
    """Draw, run and print; the exit status is 1 where under 90 % of the changes are noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="use the last survey of tests")
    parser.add_argument("paths", nargs="*", default=["models", "tasks/training_data.py"])
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    preload()
    if not options.again:
        print("which tests execute which lines (some minutes)", flush=True)
        if forked(lambda: survey() or 0, 3600) != 0:
            sys.exit(f"the tests could not be surveyed: see {LOG}")
    known = json.loads((FOLDER / "survey.json").read_text())
    named = [ROOT / path for path in options.paths]
    paths = {p for path in named for p in ([path] if path.is_file() else path.rglob("*.py"))}
    same, counts = equivalents(), Counter()
    for mutant in drawn(paths, options.number, options.seed):
        name = mutant["path"], mutant["before"], mutant["after"]
        outcome = "equivalent" if name in same else verdict(mutant, tests_of(mutant, known))
        counts[outcome] += 1
        if outcome in ("lived", "untested"):
            where = f"{mutant['path']}:{mutant['line']}"
            print(f"{outcome}  {where}  {mutant['before']}  ->  {mutant['after']}", flush=True)
    judged = sum(counts.values()) - counts["equivalent"]
    share = counts["killed"] / max(judged, 1)
    print(f"{dict(counts)}: {share:.1%} of {judged} changes that can be observed are noticed")
    return int(share < 0.9)


if __name__ == "__main__":
    sys.exit(main())
