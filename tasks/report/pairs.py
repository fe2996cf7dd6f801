"""Pairs of arms that a report compares, like-for-like pairs before pairs of different picks.

A pair is left out where the run lacks one of its arms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from pav.models.search.arms import ARM_KEY, Arm, bok_name
from pav.models.search.strategies import is_stepwise
from pav.models.settings import EvaluateSettings
from pav.tasks.report.arm_names import TIMES
from pav.tasks.report.comparisons import Compared, Pair

# Final picks and verifiers that weigh the likelihood of a response under the policy.
_LIKELY = frozenset({"likely", "q_likely", "orm_likely"})
_MOST_COUNTS = 2


class Pairs:
    """The pairs of one run, with the arms it has and the final picks of its beams."""

    def __init__(
        self, evaluate: EvaluateSettings, compared: Compared, tested: pl.DataFrame
    ) -> None:
        """Take the arms of a run; `tested` has the final picks of its rows."""
        self._main, self._known = bok_name(evaluate.main_k), sorted(compared.correct)
        self._orm = better_orm(compared)
        self._picks = _final_picks(tested)
        counts = sorted({arm.num_samples for arm in self._known} - {1}, reverse=True)
        self._counts = counts[:_MOST_COUNTS]

    def claims(self) -> list[Pair]:
        """Return the comparisons that the claims are about, those of the most candidates first."""
        found = [pair for count in self._counts[:1] for pair in self._claims(count)]
        if len(self._counts) == _MOST_COUNTS:
            most, fewer = self._counts
            label = f"PAV beam at {fewer} against the better ORM's best-of-{most}"
            found.append(Pair(label, self._pav(fewer), self._best_of(self._orm, most), True))
            found += self._claims(fewer)
        return self._possible(found)

    def others(self) -> list[Pair]:
        """Return further comparisons."""
        return self._possible([pair for count in self._counts for pair in self._others(count)])

    def to_q_beam(self) -> list[Pair]:
        """Return every arm against the beam on Q with as many candidates."""
        return self._possible([
            Pair(f"{arm.title} against the Q beam",
                 arm, self._q(arm.num_samples))
            for arm in self._known
            if arm.num_samples > 1 and arm.guide != ("beam", "q", "")
        ])  # fmt: skip

    def is_like_for_like(self, first: Arm, second: Arm) -> bool:
        """Return whether both arms weigh the likelihood in their final pick, or neither does."""
        weighed = [self._weighs_likelihood(arm) for arm in (first, second)]
        return weighed[0] == weighed[1] and len(weighed[0]) == 1

    def _claims(self, count: int) -> list[Pair]:
        pav, orm = self._pav(count), self._best_of(self._orm, count)
        beam = f"PAV beam at {count} against"
        return [
            Pair(f"{beam} the Q beam at {count}", pav, self._q(count), True),
            Pair(f"{beam} ORM {TIMES} likelihood, best-of-{count}", pav,
                 self._best_of("orm_likely", count)),
            Pair(f"{beam} likelihood alone, best-of-{count}", pav, self._best_of("likely", count)),
            Pair(f"{beam} majority of {count}", pav, self._best_of("majority", count)),
            Pair(f"{beam} the better ORM's best-of-{count}", pav, orm, True),
            Pair(f"PAV as ORM, best-of-{count}, against the better ORM",
                 Arm("best_of_n", "pav", self._main, count), orm, True),
        ]  # fmt: skip

    def _others(self, count: int) -> list[Pair]:
        q, orm = self._q(count), self._best_of(self._orm, count)
        product, likely = (self._best_of(name, count) for name in ("q_product", "orm_likely"))
        alone, voted = (self._best_of(name, count) for name in ("likely", "orm_majority"))
        best, pav = f"best-of-{count}", self._pav(count)
        return [
            *(
                Pair(f"Beam with prover {arm.prover} at {count} against the Q beam at {count}",
                     arm, q)
                for arm in self._known
                if (arm.strategy, arm.verifier, arm.num_samples) == ("beam", "pav", count)
                and arm.prover != self._main
            ),
            Pair(f"PAV beam at {count} against ORM-weighted majority of {count}", pav, voted),
            Pair(f"PAV beam at {count} against product of Q, {best}", pav, product),
            Pair(f"Q beam at {count} against the better ORM's {best}", q, orm),
            Pair(f"Product of Q, {best}, against the better ORM", product, orm),
            Pair(f"ORM {TIMES} likelihood, {best}, against likelihood alone", likely, alone),
            Pair(f"ORM {TIMES} likelihood, {best}, against the better ORM", likely, orm),
        ]  # fmt: skip

    def _possible(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Return the pairs whose arms the run has, with what sets their final picks apart."""
        return [
            pair if self.is_like_for_like(pair.first, pair.second) else _not_alike(pair)
            for pair in pairs
            if pair.first in self._known and pair.second in self._known
        ]

    def _pav(self, count: int) -> Arm:
        return Arm("beam", "pav", self._main, count)

    @staticmethod
    def _q(count: int) -> Arm:
        return Arm("beam", "q", "", count)

    @staticmethod
    def _best_of(verifier: str, count: int) -> Arm:
        return Arm("best_of_n", verifier, "", count)

    def _weighs_likelihood(self, arm: Arm) -> frozenset[bool]:
        """Return whether an arm's pick weighs the likelihood, by pipeline seed: one or both."""
        names = self._picks[arm] if is_stepwise(arm.strategy) else {arm.verifier}
        return frozenset(name in _LIKELY for name in names)


def better_orm(compared: Compared) -> str:
    """Return the ORM with the higher test accuracy at the most candidates; `orm` on a tie."""
    found = [arm for arm in compared.correct if arm.verifier in ("orm", "orm_seed")]
    most = max((arm.num_samples for arm in found), default=0)
    last = sorted(arm for arm in found if arm.num_samples == most)
    shared = compared.shared(*last) if last else []
    means = {arm.verifier: float(compared.on(arm, shared).mean()) for arm in last}
    return max(means, key=lambda name: means[name], default="orm")


def _final_picks(tested: pl.DataFrame) -> Mapping[Arm, set[str]]:
    picks: dict[Arm, set[str]] = {}
    for *names, pick in tested.select(*ARM_KEY, "final_pick").unique().iter_rows():
        picks.setdefault(Arm(*names), set()).add(pick)
    return picks


def _not_alike(pair: Pair) -> Pair:
    return replace(pair, label=f"{pair.label} (final picks differ)", like_for_like=False)
