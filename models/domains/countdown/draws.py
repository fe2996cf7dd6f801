"""Whether a hand of many numbers reaches a target, and ways to do so drawn at random."""

from collections.abc import Iterator, Sequence
from random import Random

from pav.models.domains.countdown.formulas import Formulas
from pav.models.domains.countdown.moves import Number, Path, State
from pav.models.domains.countdown.search import Tables, tables
from pav.models.domains.countdown.trees import Writer

# Draws for each wanted path. Some draws are lost: equal texts and repeated formulas count once.
_DRAWS = 4


def reaches(hand: State, target: Number) -> bool:
    """Return whether some formula that uses each number once makes the target."""
    of = _tables(hand, target)
    writer, random = Writer(hand, is_signed=of.is_signed), Random(0)
    for found in of.making(target):
        formulas = Formulas(of, [found])
        for tree in formulas.trees(range(formulas.total)):
            # Different values may have one float quotient, so each find is computed exactly.
            if _ends_at(writer.drawn_path(tree, random), target):
                return True
    return False


def search_together(hand: State, targets: Sequence[Number]) -> None:
    """Search targets of a hand at once, so that later questions are answered from memory."""
    _tables(hand, min(targets)).search(targets)


def drawn_paths(hand: State, target: Number, *, limit: int, random: Random) -> list[Path]:
    """Return `limit` distinct paths, or all where there are fewer.

    Each formula is as likely as any other, and so is each order of its lines.
    """
    of = _tables(hand, target)
    formulas = Formulas(of, list(of.making(target)))
    found: dict[Path, None] = {}
    for path in _paths(of, formulas, limit=limit, random=random):
        if _ends_at(path, target):
            found[path] = None
        if len(found) == limit:
            break
    return list(found)


def _paths(of: Tables, formulas: Formulas, *, limit: int, random: Random) -> Iterator[Path]:
    """Yield drawn paths, then all paths in case too few of the drawn ones differ."""
    writer = Writer(of.hand, is_signed=of.is_signed)
    num_draws = min(_DRAWS * limit, formulas.total)
    for tree in formulas.trees(random.sample(range(formulas.total), num_draws)):
        yield writer.drawn_path(tree, random)
    for tree in formulas.trees(range(formulas.total)):
        yield from writer.every_path(tree)


def _ends_at(path: Path, target: Number) -> bool:
    return path[-1].left == (target,)


def _tables(hand: State, target: Number) -> Tables:
    """The tables of a hand, with values below 0 where a formula may need one."""
    return tables(hand, is_signed=target < 0 or any(number < 0 for number in hand))
