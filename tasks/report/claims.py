"""The comparisons of a report: in numbers, on one axis, and each with a verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from pav.tasks.report.arm_names import DASH, Row, points
from pav.tasks.report.plotting import round_ticks
from pav.tasks.report.scope import Scope


@dataclass(frozen=True)
class Interval:
    """An interval as words, and where it begins and ends on the shared axis, percent."""

    words: str
    start: float
    end: float


@dataclass(frozen=True)
class Claim:
    """One comparison; `kind` is `gain`, `loss`, `open` or `unjudged`."""

    label: str
    kind: str
    verdict: str
    difference: str
    place: float
    counts: str
    p_value: str
    over_problems: Interval
    over_seeds: Interval | None


@dataclass(frozen=True)
class ClaimGroup:
    """Comparisons that belong together, under a heading."""

    title: str
    note: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Tick:
    """A number on the axis of differences, and its place in percent."""

    words: str
    place: float


@dataclass(frozen=True)
class ClaimTable:
    """Groups of comparisons on one axis of differences."""

    groups: tuple[ClaimGroup, ...]
    ticks: tuple[Tick, ...]
    zero: float
    has_seeds: bool

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every comparison, in the order of the table."""
        return tuple(claim for group in self.groups for claim in group.claims)


@dataclass(frozen=True)
class _Axis:
    """Differences from `low` to `high` laid out over the width of a cell."""

    low: float
    high: float

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "_Axis":
        """Return the least axis that holds zero and every interval, with a margin."""
        ends = [0.0, *(row[name] for row in rows for name in _ENDS if row[name] is not None)]
        margin = 0.03 * max(max(ends) - min(ends), 0.01)
        return cls(min(ends) - margin, max(ends) + margin)

    def place(self, difference: float) -> float:
        """Return where a difference stands, in percent of the width."""
        return round(100 * (difference - self.low) / (self.high - self.low), 2)

    def interval(self, low: float, high: float) -> Interval:
        """Return an interval in words and in its place."""
        words = f"{points(low, sign=True)} to {points(high, sign=True)}"
        return Interval(words, self.place(low), self.place(high))

    def ticks(self) -> tuple[Tick, ...]:
        """Return round differences along the axis."""
        found = round_ticks(3).tick_values(self.low, self.high)
        return tuple(
            Tick(points(tick, sign=True), self.place(tick))
            for tick in map(float, found)
            if self.low <= tick <= self.high
        )


_NOT_SHOWN = "no difference shown"
_ENDS = ("low", "high", "t_low", "t_high")


def claim_table(
    groups: Sequence[tuple[str, str, Sequence[Row]]], scope: Scope, *, confidence: float
) -> ClaimTable:
    """Return groups of comparisons, each `title, note, rows`, laid out on one axis.

    A group without rows is left out. A difference is called a gain or a loss only where its
    intervals exclude zero, its p stays small after correction for the number of comparisons, and
    the run is large enough to judge.
    """
    rows = [row for _, _, found in groups for row in found]
    axis = _Axis.of(rows)
    return ClaimTable(
        tuple(
            ClaimGroup(title, note, tuple(_claim(row, axis, scope, confidence) for row in found))
            for title, note, found in groups
            if found
        ),
        axis.ticks() if rows else (),
        axis.place(0.0),
        any(row["t_low"] is not None for row in rows),
    )


def _claim(row: Row, axis: _Axis, scope: Scope, confidence: float) -> Claim:
    kind = _kind(row, scope, 1 - confidence)
    seeds = None if row["t_low"] is None else axis.interval(row["t_low"], row["t_high"])
    return Claim(
        label=str(row["label"]),
        kind=kind,
        verdict=_verdict(row, kind),
        difference=points(row["difference"], sign=True),
        place=axis.place(row["difference"]),
        counts=f"{row['wins']:,} / {row['losses']:,}",
        p_value=_p_words(row["p_holm"]),
        over_problems=axis.interval(row["low"], row["high"]),
        over_seeds=seeds,
    )


def _kind(row: Row, scope: Scope, most: float) -> str:
    """Return what a difference may be called; `most` is the largest p that counts."""
    if not scope.is_judged:
        return "unjudged"
    if not row["excludes_zero"] or row["p_holm"] > most:
        return "open"
    return "gain" if row["difference"] > 0 else "loss"


def _p_words(p_value: float | None) -> str:
    """Return p with three decimals, without a zero that says nothing."""
    if p_value is None:
        return DASH
    return "< .001" if p_value < 0.001 else f"{p_value:.3f}".removeprefix("0")


def _verdict(row: Row, kind: str) -> str:
    """Return the verdict in words; what the paper says is named where it says anything."""
    if kind == "unjudged":
        return "not judged"
    if kind == "open":
        sign = "gain" if row["difference"] > 0 else "loss"
        return f"{sign}, but not after correction" if row["excludes_zero"] else _NOT_SHOWN
    if not row["of_paper"]:
        return kind
    return f"{kind}, {'agrees with' if kind == 'gain' else 'against'} the paper"
