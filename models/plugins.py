"""Plug-ins: named entries that installed packages add to pav's own.

A package adds an entry by an entry point, such as `[project.entry-points."pav.planners"]`. Entry
points reach every process of a run, as worker processes read the same installed packages.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from pav.models.errors import InputError

Entry = TypeVar("Entry")


@lru_cache(maxsize=64)
def plugin_points(kind: str) -> Mapping[str, EntryPoint]:
    """Return name -> entry point of the group `pav.<kind>`; nothing is imported."""
    points: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=f"pav.{kind}"), key=lambda point: point.name):
        other = points.setdefault(point.name, point)
        if other.value != point.value:
            raise InputError(
                f"plug-ins pav.{kind}: expected one entry point named {point.name!r}, got "
                f"{other.value} and {point.value}; uninstall one of the two packages"
            )
    return points


def load_plugin(kind: str, name: str) -> object:
    """Return what an entry point names; InputError where it cannot be imported."""
    point = plugin_points(kind)[name]
    try:
        return point.load()
    # Another package's code runs here, and whatever it raises is that package's fault.
    except Exception as error:
        package = package_of(point)
        raise InputError(
            f"plug-in {name!r} of {package} (pav.{kind} = {point.value}): expected a module that "
            f"can be imported, got {type(error).__name__}: {error}; mend or uninstall {package}"
        ) from error


def named_object(path: str) -> Any:
    """Return what `module:object` names; InputError where there is no such module or object."""
    try:
        return EntryPoint("", path, "").load()
    except (ImportError, AttributeError) as error:
        raise InputError(f"{path}: expected module:object to be imported, got {error}") from error


class Registry(Mapping[str, Entry], Generic[Entry]):
    """The entries of one kind by name: the package's own, then those of plug-ins by name.

    A plug-in is imported when its entry is looked up, so that names cost nothing.
    """

    def __init__(
        self, kind: str, own: Mapping[str, Entry], *, is_entry: Callable[[object], bool]
    ) -> None:
        """Take the package's own entries; `is_entry` tells whether a plug-in's object is one."""
        self._kind, self._own, self._is_entry = kind, dict(own), is_entry

    def __getitem__(self, name: str) -> Entry:
        """Return an entry; KeyError without such a name, InputError where a plug-in is faulty."""
        points = self._points()
        return self._loaded(name) if name in points else self._own[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names; InputError where a plug-in takes a name of the package."""
        points = self._points()
        yield from self._own
        yield from points

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._own.keys() | self._points().keys())

    def _points(self) -> Mapping[str, EntryPoint]:
        points = plugin_points(self._kind)
        for name in sorted(self._own.keys() & points.keys()):
            raise InputError(
                f"plug-in {name!r} of {package_of(points[name])}: the name is pav's own; expected "
                f"another name in pav.{self._kind}"
            )
        return points

    def _loaded(self, name: str) -> Entry:
        entry = load_plugin(self._kind, name)
        if not self._is_entry(entry):
            raise InputError(
                f"plug-in {name!r} (pav.{self._kind}): expected what CONTRIBUTING.md describes for "
                f"pav.{self._kind}, got {entry!r}"
            )
        return cast(Entry, entry)


def package_of(point: EntryPoint) -> str:
    """Return the name of the package that an entry point belongs to."""
    return point.dist.name if point.dist else "an unknown package"
