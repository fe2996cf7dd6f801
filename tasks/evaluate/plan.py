"""Which units the evaluation has: first those that choose on validation, then those of test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pav.models.domains import domain_of
from pav.models.records import Problem
from pav.models.search.arms import (
    AGGREGATES,
    ORMS,
    RANKED,
    Arm,
    Line,
    prover,
    prover_names,
    ranking,
)
from pav.models.search.strategies import arms, is_stepwise
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import DecodingWork, decoding_of
from pav.tasks.evaluate.choice import Choice
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.sample.plan import problems_ref
from pav.tasks.store.units import InputRef, Manifest, Unit

STAGE = "evaluate"
REVISION = 4


class SearchWork(DecodingWork):
    """Some arms on every problem of a split, with one search seed of one pipeline seed."""

    policy_id: str
    split: str
    pipeline_seed: int
    seed: int
    width: int
    max_steps: int
    likelihood_weight: float
    prover_value: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class SearchInputs:
    """What the units of one pipeline seed's evaluation read.

    `verifiers` maps each role, such as `q` or `orm_all`, to the unit that trained it.
    """

    pipeline_seed: int
    problems: Mapping[str, Problem]
    problems_manifest: Manifest
    policy: PolicySpec
    verifiers: Mapping[str, Manifest]


def verifiers_by_role(manifests: Iterable[Manifest]) -> dict[str, Manifest]:
    """Return role -> the training unit that has it among its heads."""
    return {
        str(head): manifest
        for manifest in manifests
        for head in manifest.unit.parameters.get("heads", ())
    }


def plan_choice(settings: RunSettings, inputs: SearchInputs) -> list[Unit]:
    """Return the units on validation problems; none where there are no such problems.

    One for each prover, the whole grid of alpha and alpha 0 in it, and one for PAV-as-ORM.
    """
    evaluate, planner = settings.evaluate, _Planner(settings, inputs, "validation")
    grid = sorted({0.0, *evaluate.alphas})
    wanted = {arm.prover for arm in arms(settings) if (arm.strategy, arm.verifier) == PAV_BEAM}
    units = [
        planner.unit([
            Line("beam", "pav", name, evaluate.alpha_num_samples, alpha, "q_last")
            for alpha in grid
        ])
        for name in prover_names(settings)
        if name in wanted
    ]  # fmt: skip
    ranked = [
        Line.of(arm, evaluate.alpha_num_samples, alpha=alpha, final_pick=aggregate)
        for arm in arms(settings)
        if (arm.strategy, arm.verifier) == ("best_of_n", "pav")
        for alpha in grid
        for aggregate in AGGREGATES
    ]
    return [unit for unit in [*units, planner.unit(ranked)] if unit is not None]


PAV_BEAM = ("beam", "pav")


def plan_search(settings: RunSettings, inputs: SearchInputs, choice: Choice) -> list[Unit]:
    """Return the units on test problems: long ones first, so that the last ones end together.

    Best-of-N and single samples of a search seed are one unit, drawn once and scored by every
    verifier; each beam, number of candidates and search seed is one.
    """
    planner = _Planner(settings, inputs, "test")
    wanted = arms(settings)
    units = []
    for seed in range(max((arm.num_seeds for arm in wanted), default=0)):
        lines = [
            line
            for arm in wanted
            if not is_stepwise(arm.strategy) and seed < arm.num_seeds
            for line in _lines(settings, arm, choice)
        ]
        units.append(planner.unit(lines, seed=seed))
    for count in sorted(settings.evaluate.num_samples, reverse=True):
        for arm in wanted:
            for seed in range(arm.num_seeds if is_stepwise(arm.strategy) else 0):
                units.append(planner.unit([_beam_line(arm, count, choice)], seed=seed))
    return [unit for unit in units if unit is not None]


def _lines(settings: RunSettings, arm: Arm, choice: Choice) -> list[Line]:
    if arm.strategy == "single":
        return [Line.of(arm, 1)]
    counts = settings.evaluate.num_samples
    if arm.verifier == "pav":
        alpha, aggregate = choice.orm_alpha, choice.aggregate
        return [Line.of(arm, count, alpha=alpha, final_pick=aggregate) for count in counts]
    pick = RANKED.get(arm.verifier, "orm")
    return [Line.of(arm, count, final_pick=pick) for count in counts]


def _beam_line(arm: Arm, count: int, choice: Choice) -> Line:
    alpha = choice.alphas[arm.prover] if arm.prover else 0.0
    return Line.of(arm, count, alpha=alpha, final_pick=choice.final_pick)


@dataclass(frozen=True)
class _Planner:
    """Names units over one split with what they have in common."""

    settings: RunSettings
    inputs: SearchInputs
    split: str

    def unit(self, lines: Sequence[Line], *, seed: int = 0) -> Unit | None:
        """Return the unit that runs some lines; None where there is nothing to run."""
        members = [each for each in self.inputs.problems.values() if each.split == self.split]
        if not lines or not members:
            return None
        members.sort(key=lambda problem: problem.problem_id)
        first = lines[0]
        words = [first.strategy, first.verifier, first.prover, f"at {first.num_samples}"]
        if not is_stepwise(first.strategy):
            words = ["best-of-N"]
        name = " ".join(filter(None, ["search", self.split, *words]))
        return Unit(
            STAGE,
            f"{name}, seed {self.inputs.pipeline_seed}.{seed}",
            REVISION,
            self._work(lines, seed).parameters(),
            self._refs(lines) | {"problems": problems_ref(self.inputs.problems_manifest, members)},
        )

    def _work(self, lines: Sequence[Line], seed: int) -> SearchWork:
        evaluate = self.settings.evaluate
        return SearchWork(
            **decoding_of(self.settings),
            policy_id=self.inputs.policy.policy_id,
            split=self.split,
            pipeline_seed=self.inputs.pipeline_seed,
            seed=seed,
            width=evaluate.beam_width,
            max_steps=evaluate.max_steps,
            likelihood_weight=evaluate.likelihood_weight,
            prover_value=evaluate.prover_value,
            lines=tuple(lines),
        )

    def _refs(self, lines: Iterable[Line]) -> dict[str, InputRef]:
        roles = sorted(set().union(*(self._roles(line) for line in lines)))
        refs = {role: self.inputs.verifiers[role].ref for role in roles}
        return {"policy": self.inputs.policy.ref} | refs

    def _roles(self, line: Line) -> frozenset[str]:
        """Return the verifier roles that a line reads; a beam's three picks are all computed."""
        evaluate = self.settings.evaluate
        if not is_stepwise(line.strategy):
            per_token = not domain_of(self.settings).equal_lengths
            return ranking(line, evaluate, per_token=per_token).verifiers
        return frozenset({"q", ORMS["orm"], prover(line.prover, evaluate).verifier})
