"""Every query of `pav`, a statement a file; this module reads them and tells their order."""

import re
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files

# What a database is built of; a query or check is asked of it and may carry a view's name.
BUILT = ("macros", "schema", "views")


@cache
def read(name: str) -> str:
    """Return the text of a query such as `queries/labels`."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def names(folder: str) -> tuple[str, ...]:
    """Return the names of a folder's queries, sorted."""
    entries = files(__name__).joinpath(folder).iterdir()
    return tuple(sorted(e.name.removesuffix(".sql") for e in entries if e.name.endswith(".sql")))


@cache
def build_order() -> tuple[str, ...]:
    """Return every macro, table and view such as `views/advantages`, each after what it reads."""
    return ordered({f"{folder}/{name}": read(f"{folder}/{name}") for folder, name in _built()})


def ordered(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the paths of statements such as `views/advantages`, each after what it reads."""
    paths = {path.rpartition("/")[2]: path for path in texts}
    earlier = {
        path: sorted(paths[each] for each in used_names(texts[path]) & paths.keys() - {name})
        for name, path in paths.items()
    }
    return tuple(TopologicalSorter(earlier).static_order())


def _built() -> list[tuple[str, str]]:
    return [(folder, name) for folder in BUILT for name in names(folder)]


def used_names(text: str) -> set[str]:
    """Return every name that a statement reads from, joins or calls."""
    code = re.sub(r"--.*|'[^']*'", "", text)
    found = re.findall(r"\b(?:from|join)\s+(\w+)|\b(\w+)\(", code)
    return {read_from or called for read_from, called in found}
