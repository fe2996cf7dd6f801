"""Every search strategy by its name: what it is called, the arms it has, and how it searches.

A new strategy is an entry here, and the file of its algorithm. `search` is None where a strategy
picks among whole solutions, which are drawn once for all its arms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pav.models.records import Algorithm, Prefix
from pav.models.search.arms import CONTROLS, Arm, bok_name, prover_names
from pav.models.search.beam import Guide, beam, beam_paper
from pav.models.search.results import Sampling, SearchResult
from pav.models.settings import RunSettings


class Search(Protocol):
    """An algorithm that searches step by step; `width` 0 leaves the number of beams to it."""

    def __call__(
        self, root: Prefix, *, sampling: Sampling, guide: Guide, num_samples: int, width: int
    ) -> Algorithm[SearchResult]:
        """Search from the bare problem."""
        ...


@dataclass(frozen=True)
class Strategy:
    """A way to search; `arms` are those that settings ask for, with their search seeds."""

    title: str
    arms: Callable[[RunSettings], list[Arm]]
    search: Search | None = None


def _single(settings: RunSettings) -> list[Arm]:
    return [Arm("single", "", "", settings.evaluate.search_seeds)]


def _best_of_n(settings: RunSettings) -> list[Arm]:
    main, other = settings.evaluate.search_seeds, settings.evaluate.other_seeds
    headline = bok_name(settings.evaluate.main_k)
    return [
        *(Arm("best_of_n", name, "", main) for name in ("orm", "orm_seed", "orm_likely")),
        *(Arm("best_of_n", name, "", main) for name in CONTROLS),
        *(Arm("best_of_n", name, "", other) for name in ("q", "q_product", "q_likely")),
        Arm("best_of_n", "pav", headline, other),
    ]


def _beam(settings: RunSettings) -> list[Arm]:
    main, other = settings.evaluate.search_seeds, settings.evaluate.other_seeds
    headline = bok_name(settings.evaluate.main_k)
    provers = prover_names(settings)
    return [
        Arm("beam", "q", "", main),
        *(Arm("beam", "pav", name, main if name == headline else other) for name in provers),
    ]


def _beam_paper(settings: RunSettings) -> list[Arm]:
    seeds = settings.evaluate.other_seeds if settings.evaluate.paper_beam else 0
    headline = bok_name(settings.evaluate.main_k)
    return [Arm("beam_paper", "q", "", seeds), Arm("beam_paper", "pav", headline, seeds)]


def _as_paper(
    root: Prefix, *, sampling: Sampling, guide: Guide, num_samples: int, width: int
) -> Algorithm[SearchResult]:
    """Search with the paper's N, which is the number of beams kept; `width` has no part in it."""
    return beam_paper(root, sampling=sampling, guide=guide, width=num_samples)


# In the order in which tables show them.
STRATEGIES: Mapping[str, Strategy] = {
    "single": Strategy("one sample", _single),
    "best_of_n": Strategy("best-of-N", _best_of_n),
    "beam": Strategy("beam", _beam, beam),
    "beam_paper": Strategy("beam (paper's B, C = 3)", _beam_paper, _as_paper),
}


def arms(settings: RunSettings) -> list[Arm]:
    """Return every arm that the settings ask for, with its number of search seeds."""
    wanted = [arm for each in STRATEGIES.values() for arm in each.arms(settings)]
    return [arm for arm in wanted if arm.num_seeds > 0]


def is_stepwise(strategy: str) -> bool:
    """Tell whether a strategy searches step by step, guided by a verifier."""
    return STRATEGIES[strategy].search is not None
