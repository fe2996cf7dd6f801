"""Every query of `pav`, a statement a file; this module reads them and does nothing else."""

from functools import cache
from importlib.resources import files


@cache
def read(name: str) -> str:
    """Return the text of a query such as `queries/labels`."""
    return files(__name__).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def names(folder: str) -> tuple[str, ...]:
    """Return the names of a folder's queries, sorted."""
    entries = files(__name__).joinpath(folder).iterdir()
    return tuple(sorted(e.name.removesuffix(".sql") for e in entries if e.name.endswith(".sql")))
