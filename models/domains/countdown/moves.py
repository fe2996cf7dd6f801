"""Countdown's numbers and moves, exact."""

from fractions import Fraction
from typing import NamedTuple

# Whole numbers are ints and only the others Fractions: exact, and several times faster.
Number = int | Fraction
State = tuple[Number, ...]


class Move(NamedTuple):
    """One step: `a op b = result`, after which `left` (ascending, the result included) remain."""

    a: Number
    op: str
    b: Number
    result: Number
    left: State


Path = tuple[Move, ...]


def exact(value: Number) -> Number:
    """Return the number as an int where it is whole, so that equal states look the same."""
    if isinstance(value, int):
        return value
    return value.numerator if value.denominator == 1 else value


def divide(a: Number, b: Number) -> Number:
    """Return the exact quotient; ZeroDivisionError where b is 0."""
    if isinstance(a, int) and isinstance(b, int) and a % b == 0:
        # Most divisions come out even, and a Fraction takes ten times longer.
        return a // b
    return exact(Fraction(a, b))


def apply(a: Number, op: str, b: Number) -> Number:
    """Return `a op b` exactly; ZeroDivisionError for a division by 0."""
    if op == "+":
        return exact(a + b)
    if op == "-":
        return exact(a - b)
    if op == "*":
        return exact(a * b)
    return divide(a, b)
