"""Every search strategy by its name: its title, its arms and its algorithm.

A new strategy is an entry here, or an entry point of the group `pav.strategies`, and the file of
its algorithm.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pav.models.plugins import Registry
from pav.models.records import Algorithm, Prefix
from pav.models.search.arms import (
    CONTROLS,
    ORMS,
    Arm,
    SearchOptions,
    bok_name,
    prover,
    prover_names,
    ranking,
)
from pav.models.search.beam import beam, beam_paper
from pav.models.search.results import Sampling, SearchResult
from pav.models.search.rewards import BASE_VERIFIER
from pav.models.settings import RunSettings, Settings

# An arm and its number of search seeds; 0 leaves it out.
Asked = dict[Arm, int]


class Search(Protocol):
    """An algorithm that searches step by step for one problem."""

    def __call__(
        self, root: Prefix, *, arm: Arm, sampling: Sampling, options: SearchOptions
    ) -> Algorithm[SearchResult]:
        """Search from the bare problem; the arm has its alpha and its final pick."""
        ...


def guided_roles(arm: Arm, options: SearchOptions) -> frozenset[str]:
    """Return the verifiers that a beam reads: its reward's, and those of every final pick."""
    return frozenset({BASE_VERIFIER, ORMS["orm"], prover(arm.prover, options).verifier})


def ranking_roles(arm: Arm, options: SearchOptions) -> frozenset[str]:
    """Return the verifiers that rank an arm's whole solutions."""
    return ranking(arm, options).verifiers


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """A way to search.

    `arms` returns those that the settings ask for. `search` is None where a strategy picks among
    whole solutions, which are drawn once for all its arms. `roles` names the verifiers that an arm
    reads. `knobs` is the settings block of a plug-in, `plugins.<name>`: its values stand in
    `SearchOptions.knobs` and are part of every unit that searches so.
    """

    title: str
    arms: Callable[[RunSettings], Asked]
    search: Search | None = None
    roles: Callable[[Arm, SearchOptions], frozenset[str]] = guided_roles
    knobs: type[Settings] | None = None


def at_each_count(
    settings: RunSettings, strategy: str, verifier: str, prover: str, *, num_seeds: int
) -> Asked:
    """Return an arm at every number of candidates of the settings."""
    counts = settings.evaluate.num_samples
    return {Arm(strategy, verifier, prover, count): num_seeds for count in counts}


def _single(settings: RunSettings) -> Asked:
    return {Arm("single", "", "", 1): settings.evaluate.search_seeds}


def _best_of_n(settings: RunSettings) -> Asked:
    main, other = settings.evaluate.search_seeds, settings.evaluate.other_seeds
    seeds = dict.fromkeys(("orm", "orm_seed", "orm_likely", *CONTROLS), main)
    seeds |= dict.fromkeys(("q", "q_product", "q_likely", "pav"), other)
    headline = bok_name(settings.evaluate.main_k)
    asked: Asked = {}
    for verifier, num_seeds in seeds.items():
        prover = headline if verifier == "pav" else ""
        asked |= at_each_count(settings, "best_of_n", verifier, prover, num_seeds=num_seeds)
    return asked


def _beam(settings: RunSettings) -> Asked:
    main, other = settings.evaluate.search_seeds, settings.evaluate.other_seeds
    headline = bok_name(settings.evaluate.main_k)
    asked = at_each_count(settings, "beam", "q", "", num_seeds=main)
    for name in prover_names(settings):
        num_seeds = main if name == headline else other
        asked |= at_each_count(settings, "beam", "pav", name, num_seeds=num_seeds)
    return asked


def _beam_paper(settings: RunSettings) -> Asked:
    seeds = settings.evaluate.other_seeds if settings.evaluate.paper_beam else 0
    headline = bok_name(settings.evaluate.main_k)
    return at_each_count(settings, "beam_paper", "q", "", num_seeds=seeds) | at_each_count(
        settings, "beam_paper", "pav", headline, num_seeds=seeds
    )


# In the order in which tables show them; those of plug-ins follow.
STRATEGIES: Mapping[str, Strategy] = Registry(
    "strategies",
    {
        "single": Strategy(title="one sample", arms=_single, roles=ranking_roles),
        "best_of_n": Strategy(title="best-of-N", arms=_best_of_n, roles=ranking_roles),
        "beam": Strategy(title="beam", arms=_beam, search=beam),
        "beam_paper": Strategy(
            title="beam (paper's B, C = 3)", arms=_beam_paper, search=beam_paper
        ),
    },
    is_entry=lambda entry: isinstance(entry, Strategy),
)


def arms(settings: RunSettings) -> Asked:
    """Return every arm that the settings ask for, with its number of search seeds."""
    asked = [pair for each in STRATEGIES.values() for pair in each.arms(settings).items()]
    return {arm: num_seeds for arm, num_seeds in asked if num_seeds > 0}


def is_stepwise(strategy: str) -> bool:
    """Tell whether a strategy searches step by step, guided by a verifier."""
    return STRATEGIES[strategy].search is not None


def search_options(
    settings: RunSettings, strategies: Iterable[str], *, per_token: bool
) -> SearchOptions:
    """Return what the settings say of all arms of some strategies."""
    evaluate = settings.evaluate
    blocks = {name: STRATEGIES[name].knobs for name in sorted(strategies)}
    return SearchOptions(
        beam_width=evaluate.beam_width,
        max_steps=evaluate.max_steps,
        likelihood_weight=evaluate.likelihood_weight,
        prover_value=evaluate.prover_value,
        per_token=per_token,
        knobs={
            name: settings.plugins.of(block).model_dump(mode="json")
            for name, block in blocks.items()
            if block
        },
    )
