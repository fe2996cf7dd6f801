"""The formula that the steps of a countdown response spell out, the same text for equal ones."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pav.models.domains.countdown.text import read_step


class _Formula(NamedTuple):
    """A number (no `op`), a sum or a product; parts are (is subtracted or divided by, text)."""

    op: str
    parts: tuple[tuple[bool, str], ...]

    @property
    def text(self) -> str:
        """The formula in prefix notation: `(* (+ 13 ~9) 6)`, where `~` marks an inverse."""
        words = [f"{'~' * is_inverse}{text}" for is_inverse, text in self.parts]
        return f"({self.op} {' '.join(words)})" if self.op else words[0]


def formula(steps: Sequence[str]) -> str | None:
    """Return the formula of the last step; None where a step cannot be read or there is none.

    Order and brackets that change nothing are gone: `2 + (3 - 1)` is `(3 + 2) - 1`. Nothing is
    checked, so wrong formulas differ as well. An operand is the latest unused result of that value,
    else a number of the hand.
    """
    unused: dict[str, list[_Formula]] = {}
    last = None
    for step in filter(None, steps):
        move = read_step(step)
        if move is None:
            return None
        a, b = (_operand(str(number), unused) for number in (move.a, move.b))
        last = _combined(a, move.op, b)
        unused.setdefault(str(move.result), []).append(last)
    return last and last.text


def _operand(number: str, unused: dict[str, list[_Formula]]) -> _Formula:
    return unused[number].pop() if unused.get(number) else _Formula("", ((False, number),))


def _combined(a: _Formula, op: str, b: _Formula) -> _Formula:
    family = "+" if op in "+-" else "*"
    inverted = op in "-/"
    parts = [*_parts(a, family), *((was ^ inverted, text) for was, text in _parts(b, family))]
    return _Formula(family, tuple(sorted(parts)))


def _parts(part: _Formula, family: str) -> Iterator[tuple[bool, str]]:
    """Yield the terms of a sum within a sum, the factors of a product within a product."""
    yield from part.parts if part.op == family else ((False, part.text),)
