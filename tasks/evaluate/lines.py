"""Runs the lines of an evaluation unit and returns their rows of `search_results`."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pav.models.errors import WorkError
from pav.models.labels.budget import wasted_tokens
from pav.models.records import Algorithm, Prefix
from pav.models.search.arms import FINAL_PICKS, Line, final_picks, prover, ranking
from pav.models.search.beam import Guide
from pav.models.search.best_of_n import choose, draw, score
from pav.models.search.memory import Memory, remembered
from pav.models.search.results import Sampling, SearchResult
from pav.models.search.rewards import BASE_VERIFIER, Rule, Scores
from pav.models.search.strategies import STRATEGIES, is_stepwise
from pav.tasks.engine.driver import Driver
from pav.tasks.evaluate.plan import SearchWork

# Search seeds of one pipeline seed; beyond it they would meet the next one's.
_SEEDS_EACH = 10_000
Row = dict[str, object]


@dataclass(frozen=True)
class Found:
    """What one line found on one problem.

    `verifiers` are those whose forward passes the line pays for; `seconds` its share of the time.
    """

    line: Line
    result: SearchResult
    pick: str
    verifiers: frozenset[str]
    seconds: float


def search(
    driver: Driver, work: SearchWork, *, unit_id: str, spent: list[dict[str, float]]
) -> list[Row]:
    """Return the rows of every line and problem of a unit; add to `spent` what the driver used."""
    kinds: dict[bool, list[Line]] = {}
    for line in work.lines:
        kinds.setdefault(is_stepwise(line.strategy), []).append(line)
    run = _Run(driver, work, spent)
    found = [
        each
        for is_beam, members in kinds.items()
        for each in (run.beams(members) if is_beam else run.best_of_n(members))
    ]
    prompts = {name: len(driver.codec.encode(Prefix(name))) for name in driver.problems}
    shared = {
        "split": work.split,
        "pipeline_seed": work.pipeline_seed,
        "seed": work.seed,
        "unit_id": unit_id,
    }
    return [_row(name, each, prompts[name]) | shared for name, each in found]


@dataclass(frozen=True)
class _Run:
    """One unit at work."""

    driver: Driver
    work: SearchWork
    spent: list[dict[str, float]]

    def beams(self, lines: Sequence[Line]) -> list[tuple[str, Found]]:
        """Search by every line; what lines sample alike is sampled once, so they share the time."""
        results, seconds = self._timed(
            [self._searches(Prefix(name), lines) for name in self.driver.problems]
        )
        share = seconds / (len(lines) * max(len(results), 1))
        return [
            (name, Found(line, result, line.final_pick, self._paid(line), share))
            for name, searched in zip(self.driver.problems, results, strict=True)
            for line, result in zip(lines, searched, strict=True)
        ]

    def best_of_n(self, lines: Sequence[Line]) -> list[tuple[str, Found]]:
        """Draw the most samples once, score them by every verifier, let each line choose.

        A line's time is its share of the samples in the time of drawing and of its scoring.
        """
        most = max(line.num_samples for line in lines)
        names = list(self.driver.problems)
        drawn, seconds = self._timed(
            [draw(Prefix(name), sampling=self._sampling, num_samples=most) for name in names]
        )
        wasted = sum(wasted_tokens(zip(e.samples, e.gradings, strict=True)) for e in drawn)
        self.spent.append({"wasted_tokens": wasted})
        rules = {line: ranking(line, self.work, per_token=self._per_token) for line in lines}
        scores: dict[str, list[Mapping[Prefix, Scores]]] = {}
        scoring: dict[str, float] = {}
        for role in sorted(frozenset().union(*(rule.verifiers for rule in rules.values()))):
            scores[role], scoring[role] = self._timed([score(each, role) for each in drawn])
        answers = [
            {each: self.driver.domain.answer_key(each) for each in solutions.distinct}
            for solutions in drawn
        ]
        found = []
        for line, rule in rules.items():
            used = seconds + sum(scoring[role] for role in rule.verifiers)
            share = used * line.num_samples / (most * len(names))
            for number, name in enumerate(names):
                mine = {role: scores[role][number] for role in rule.verifiers}
                result = choose(
                    drawn[number],
                    mine,
                    answers=answers[number],
                    rules={"line": rule},
                    num_samples=line.num_samples,
                )
                found.append((name, Found(line, result, "line", rule.verifiers, share)))
        return found

    def _searches(self, root: Prefix, lines: Sequence[Line]) -> Algorithm[list[SearchResult]]:
        memory: Memory = {}
        results = []
        for line in lines:
            results.append((yield from remembered(self._search(root, line), memory)))
        return results

    def _search(self, root: Prefix, line: Line) -> Algorithm[SearchResult]:
        search = STRATEGIES[line.strategy].search
        if search is None:
            raise WorkError(f"strategy {line.strategy!r}: expected one that goes step by step")
        return search(
            root, sampling=self._sampling, guide=self._guide(line), num_samples=line.num_samples,
            width=self.work.width,
        )  # fmt: skip

    def _guide(self, line: Line) -> Guide:
        measured = prover(line.prover, self.work)
        return Guide(self._picks, measured, line.alpha, self.work.max_steps)

    def _paid(self, line: Line) -> frozenset[str]:
        measured = prover(line.prover, self.work).verifier
        return self._picks[line.final_pick].verifiers | {BASE_VERIFIER, measured}

    @property
    def _per_token(self) -> bool:
        return not self.driver.domain.equal_lengths

    @property
    def _picks(self) -> dict[str, Rule]:
        return final_picks(self.work, per_token=self._per_token)

    @property
    def _sampling(self) -> Sampling:
        seed = self.work.pipeline_seed * _SEEDS_EACH + self.work.seed
        return Sampling("base", seed, self.work.max_tokens)

    def _timed(self, algorithms: Sequence[Algorithm[Any]]) -> tuple[list[Any], float]:
        started = time.perf_counter()
        results = self.driver.run(algorithms)
        self.spent.append(self.driver.spent)
        return results, time.perf_counter() - started


def _row(problem_id: str, found: Found, prompt_tokens: int) -> Row:
    """Return a row of `search_results`; a verifier's forward pass reads prompt and response."""
    result, line = found.result, found.line
    scored = [result.cost.scored.get(role, (0, 0)) for role in sorted(found.verifiers)]
    passes = sum(each for each, _ in scored)
    picks = {
        f"is_correct_{pick}": result.is_correct(pick) if is_stepwise(line.strategy) else None
        for pick in FINAL_PICKS
    }
    return {
        **line.to_record(),
        **picks,
        "problem_id": problem_id,
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
