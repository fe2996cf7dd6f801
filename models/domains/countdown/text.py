"""Countdown as text: numbers, step lines, and the cached check of one step."""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from pav.models.domains.countdown.moves import Move, Number, State, apply, exact
from pav.models.errors import shown

# 18 digits are far above any result of six numbers, and keep a runaway response cheap to read.
_NUMBER = r"-?[0-9]{1,18}(?:/[0-9]{1,18})?"
_STEP = re.compile(
    rf"({_NUMBER})[ \t]+([-+*/])[ \t]+({_NUMBER})[ \t]+=[ \t]+({_NUMBER})"
    rf"[ \t]+left((?:[ \t]+{_NUMBER})+)"
)
CANNOT_READ = "cannot read"


class Check(NamedTuple):
    """The numbers left after a step, or None and what is wrong with it."""

    left: State | None
    error: str = ""


def parse_number(text: str) -> Number:
    """Return the number written as `24`, `-3` or `8/3`; ValueError where it is none."""
    if not re.fullmatch(_NUMBER, text):
        raise ValueError(f"expected a whole number or a fraction such as 8/3, got {shown(text)}")
    return _read(text)


def _read(text: str) -> Number:
    if "/" not in text:
        return int(text)
    numerator, denominator = map(int, text.split("/"))
    if denominator == 0:
        raise ValueError(f"expected a fraction whose denominator is not 0, got {shown(text)}")
    return exact(Fraction(numerator, denominator))


def format_step(move: Move) -> str:
    """Return the line of a move, without the newline."""
    left = " ".join(map(str, move.left))
    return f"{move.a} {move.op} {move.b} = {move.result} left {left}"


def format_steps(moves: tuple[Move, ...]) -> tuple[str, ...]:
    """Return a path as the steps of a response: each ends a line but the last."""
    lines = [format_step(move) for move in moves]
    return (*(f"{line}\n" for line in lines[:-1]), *lines[-1:])


def read_step(step: str) -> Move | None:
    """Return the move that a step writes down, right or wrong; None where it writes none."""
    match = _STEP.fullmatch(step.strip())
    if match is None:
        return None
    try:
        a, b, result = _read(match[1]), _read(match[3]), _read(match[4])
        return Move(a, match[2], b, result, tuple(sorted(map(_read, match[5].split()))))
    except ValueError:
        return None


# Rollouts of the same prefixes repeat their steps, so most checks are answered from here.
@lru_cache(maxsize=1 << 17)
def check_step(available: State, step: str) -> Check:
    """Return the numbers left after a step taken with those available, or its first error."""
    move = read_step(step)
    return Check(None, CANNOT_READ) if move is None else _check(available, move)


def _check(available: State, move: Move) -> Check:
    rest = list(available)
    try:
        rest.remove(move.a)
        rest.remove(move.b)
    except ValueError:
        return Check(None, "number not available")
    if move.op == "/" and move.b == 0:
        return Check(None, "division by zero")
    if apply(move.a, move.op, move.b) != move.result:
        return Check(None, "wrong arithmetic")
    left = tuple(sorted([*rest, move.result]))
    return Check(left) if left == move.left else Check(None, "wrong left numbers")
