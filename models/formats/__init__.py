"""Formats of solutions and step labels made elsewhere, one a file: rows in, solutions out."""

from pav.models.errors import InputError
from pav.models.formats import math_shepherd, omegaprm, plain, prm800k, prmbench, processbench
from pav.models.formats.records import Format

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        plain.FORMAT,
        math_shepherd.FORMAT,
        prm800k.FORMAT,
        omegaprm.ROWS,
        omegaprm.TREE,
        prmbench.FORMAT,
        processbench.FORMAT,
    )
}


def format_of(name: str, *, asked_by: str) -> Format:
    """Return the format of a name; InputError lists the names, `asked_by` says who gave it."""
    if name not in FORMATS:
        raise InputError(f"{asked_by}: expected one of {', '.join(FORMATS)}, got {name!r}")
    return FORMATS[name]
