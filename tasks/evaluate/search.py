"""Runs the arms of an evaluation unit; returns their rows of `search_results` and `final_picks`."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pav.models.errors import WorkError
from pav.models.hashing import digest
from pav.models.labels.budget import wasted_tokens
from pav.models.records import Algorithm, Prefix
from pav.models.search.arms import Arm, final_picks, prover, ranking
from pav.models.search.best_of_n import choose, draw, score
from pav.models.search.memory import Memory, remembered
from pav.models.search.results import Sampling, SearchResult
from pav.models.search.rewards import BASE_VERIFIER, Rule, Scores
from pav.models.search.strategies import STRATEGIES, is_stepwise
from pav.tasks.engine.driver import Driver
from pav.tasks.evaluate.plan import SearchWork

# Seeds for each pipeline seed; a higher search seed would collide with the next pipeline seed's.
_SEEDS_EACH = 10_000
# The pick of an arm that ranks whole solutions by a rule of its own.
_OWN = "own"
Row = dict[str, object]


@dataclass(frozen=True)
class Found:
    """The result of one arm on one problem.

    `verifiers` are those whose forward passes the arm pays for; `seconds` its share of the time.
    """

    problem_id: str
    arm: Arm
    result: SearchResult
    pick: str
    verifiers: frozenset[str]
    seconds: float


@dataclass(frozen=True)
class Searched:
    """Rows of the data sets `search_results` and `final_picks`."""

    results: list[Row]
    picks: list[Row]


def search(
    driver: Driver, work: SearchWork, *, unit_id: str, spent: list[dict[str, float]]
) -> Searched:
    """Return the rows of every arm and problem of a unit; add to `spent` what the driver used."""
    run = _Run(driver, work, spent)
    found = []
    # In the order of the plan; step-by-step arms search together.
    for is_beam in dict.fromkeys(is_stepwise(arm.strategy) for arm in work.arms):
        arms = [arm for arm in work.arms if is_stepwise(arm.strategy) == is_beam]
        found += run.beams(arms) if is_beam else run.best_of_n(arms)
    prompts = {name: len(driver.codec.encode(Prefix(name))) for name in driver.problems}
    shared = {
        "policy_id": work.policy_id,
        "split": work.split,
        "pipeline_seed": work.pipeline_seed,
        "seed": work.seed,
        "unit_id": unit_id,
    }
    names = [digest([unit_id, each.arm.to_record(), each.problem_id], length=16) for each in found]
    results = [
        _row(each, prompts[each.problem_id]) | shared | {"search_id": name}
        for name, each in zip(names, found, strict=True)
    ]
    picks = [
        {"search_id": name, "pick": pick, "is_correct": each.result.is_correct(pick)}
        for name, each in zip(names, found, strict=True)
        if is_stepwise(each.arm.strategy)
        for pick in run.picks
    ]
    return Searched(results, [row | {"unit_id": unit_id} for row in picks])


@dataclass(frozen=True)
class _Run:
    """One unit at work."""

    driver: Driver
    work: SearchWork
    spent: list[dict[str, float]]

    def beams(self, arms: Sequence[Arm]) -> list[Found]:
        """Search by every arm; arms share equal samples, which are drawn once, and the time."""
        results, seconds = self._timed(
            [self._searches(Prefix(name), arms) for name in self.driver.problems]
        )
        share = seconds / (len(arms) * max(len(results), 1))
        return [
            Found(name, arm, result, str(arm.final_pick), self._paid(arm), share)
            for name, searched in zip(self.driver.problems, results, strict=True)
            for arm, result in zip(arms, searched, strict=True)
        ]

    def best_of_n(self, arms: Sequence[Arm]) -> list[Found]:
        """Draw the most samples once, score them by every verifier, let each arm choose.

        An arm's time is its share of the samples in the time of drawing and of its scoring.
        """
        most = max(arm.num_samples for arm in arms)
        names = list(self.driver.problems)
        drawn, seconds = self._timed(
            [draw(Prefix(name), sampling=self._sampling, num_samples=most) for name in names]
        )
        wasted = sum(wasted_tokens(zip(e.samples, e.gradings, strict=True)) for e in drawn)
        self.spent.append({"wasted_tokens": wasted})
        rules = {arm: ranking(arm, self.work.options) for arm in arms}
        scores: dict[str, list[Mapping[Prefix, Scores]]] = {}
        scoring: dict[str, float] = {}
        for role in sorted(frozenset().union(*(rule.verifiers for rule in rules.values()))):
            scores[role], scoring[role] = self._timed([score(each, role) for each in drawn])
        answers = [
            {each: self.driver.domain.answer_key(each) for each in solutions.distinct}
            for solutions in drawn
        ]
        found = []
        for arm, rule in rules.items():
            used = seconds + sum(scoring[role] for role in rule.verifiers)
            share = used * arm.num_samples / (most * len(names))
            for number, name in enumerate(names):
                mine = {role: scores[role][number] for role in rule.verifiers}
                result = choose(
                    drawn[number],
                    mine,
                    answers=answers[number],
                    rules={_OWN: rule},
                    num_samples=arm.num_samples,
                )
                found.append(Found(name, arm, result, _OWN, rule.verifiers, share))
        return found

    def _searches(self, root: Prefix, arms: Sequence[Arm]) -> Algorithm[list[SearchResult]]:
        memory: Memory = {}
        results = []
        for arm in arms:
            results.append((yield from remembered(self._search(root, arm), memory)))
        return results

    def _search(self, root: Prefix, arm: Arm) -> Algorithm[SearchResult]:
        search = STRATEGIES[arm.strategy].search
        if search is None:
            raise WorkError(f"strategy {arm.strategy!r}: expected one that goes step by step")
        return search(root, arm=arm, sampling=self._sampling, options=self.work.options)

    def _paid(self, arm: Arm) -> frozenset[str]:
        measured = prover(arm.prover, self.work.options).verifier
        return self.picks[str(arm.final_pick)].verifiers | {BASE_VERIFIER, measured}

    @property
    def picks(self) -> dict[str, Rule]:
        """The rules of the final pick of beams."""
        return final_picks(self.work.options)

    @property
    def _sampling(self) -> Sampling:
        seed = self.work.pipeline_seed * _SEEDS_EACH + self.work.seed
        return Sampling("base", seed, self.work.max_tokens)

    def _timed(self, algorithms: Sequence[Algorithm[Any]]) -> tuple[list[Any], float]:
        started = time.perf_counter()
        results = self.driver.run(algorithms)
        self.spent.append(self.driver.spent)
        return results, time.perf_counter() - started


def _row(found: Found, prompt_tokens: int) -> Row:
    """Return a row of `search_results`; a verifier's forward pass reads prompt and response."""
    result = found.result
    scored = [result.cost.scored.get(role, (0, 0)) for role in sorted(found.verifiers)]
    passes = sum(each for each, _ in scored)
    return {
        **found.arm.to_record(),
        "problem_id": found.problem_id,
        "is_correct": result.is_correct(found.pick),
        "is_any_correct": result.is_any_correct,
        "response": result.text(found.pick),
        "beams_cut_off": result.num_cut_off,
        "num_candidates": result.cost.num_candidates,
        "generated_tokens": result.cost.generated_tokens,
        "scored_prefixes": passes,
        "scored_tokens": sum(tokens for _, tokens in scored) + passes * prompt_tokens,
        "seconds": found.seconds,
    }
