"""Plans the evaluation's units: those that choose on validation problems, and those on test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pav.models.domains import domain_of
from pav.models.errors import WorkError
from pav.models.records import Problem
from pav.models.search.arms import AGGREGATES, RANKED, Arm, SearchOptions, prover_names
from pav.models.search.strategies import STRATEGIES, arms, is_stepwise, search_options
from pav.models.settings import RunSettings
from pav.tasks.engine.decoding_work import DecodingWork, decoding_of
from pav.tasks.evaluate.choice import Choice
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.sample.plan import problems_ref
from pav.tasks.store.units import InputRef, Manifest, Unit

STAGE = "evaluate"
REVISION = 5


class SearchWork(DecodingWork):
    """Some arms on every problem of a split, with one search seed of one pipeline seed."""

    policy_id: str
    split: str
    pipeline_seed: int
    seed: int
    options: SearchOptions
    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class SearchInputs:
    """The inputs of the units of one pipeline seed's evaluation.

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


PAV_BEAM = ("beam", "pav")
PAV_AS_ORM = ("best_of_n", "pav")


def plan_choice(settings: RunSettings, inputs: SearchInputs) -> list[Unit]:
    """Return the units on validation problems; none where there are no such problems.

    There is one unit for each prover, with the whole grid of alpha and alpha 0, and one for
    PAV-as-ORM.
    """
    planner = _Planner(settings, inputs, "validation")
    grid = sorted({0.0, *settings.evaluate.alphas})
    count = settings.evaluate.alpha_num_samples
    asked = {arm.guide for arm in arms(settings)}
    units = [
        planner.unit([
            Arm(*PAV_BEAM, name, count).chosen(alpha=alpha, final_pick="q_last") for alpha in grid
        ])
        for name in prover_names(settings)
        if (*PAV_BEAM, name) in asked
    ]  # fmt: skip
    ranked = [
        Arm(*guide, count).chosen(alpha=alpha, final_pick=aggregate)
        for guide in sorted(asked)
        if guide[:2] == PAV_AS_ORM
        for alpha in grid
        for aggregate in AGGREGATES
    ]
    return [unit for unit in [*units, planner.unit(ranked)] if unit is not None]


def plan_search(settings: RunSettings, inputs: SearchInputs, choice: Choice) -> list[Unit]:
    """Return the units on test problems: long ones first, so that the last ones end together.

    Best-of-N and single samples of a search seed are one unit, drawn once and scored by every
    verifier. Each beam has a unit for each number of candidates and search seed.
    """
    planner = _Planner(settings, inputs, "test")
    asked = arms(settings)
    beams = {arm: seeds for arm, seeds in asked.items() if is_stepwise(arm.strategy)}
    units = [
        planner.unit(
            [
                _ranked(arm, choice)
                for arm, seeds in asked.items()
                if arm not in beams and seed < seeds
            ],
            seed=seed,
        )
        for seed in range(max(asked.values(), default=0))
    ]
    units += [
        planner.unit([_beam(arm, choice)], seed=seed)
        for arm in sorted(beams, key=lambda arm: -arm.num_samples)
        for seed in range(beams[arm])
    ]
    return [unit for unit in units if unit is not None]


def _ranked(arm: Arm, choice: Choice) -> Arm:
    if arm.strategy == "single":
        return arm.chosen()
    if arm.verifier == "pav":
        return arm.chosen(alpha=choice.orm_alpha, final_pick=choice.aggregate)
    return arm.chosen(final_pick=RANKED.get(arm.verifier, "orm"))


def _beam(arm: Arm, choice: Choice) -> Arm:
    alpha = choice.alphas[arm.prover] if arm.prover else 0.0
    return arm.chosen(alpha=alpha, final_pick=choice.final_pick)


@dataclass(frozen=True)
class _Planner:
    """Names units over one split with what they have in common."""

    settings: RunSettings
    inputs: SearchInputs
    split: str

    def unit(self, arms: Sequence[Arm], *, seed: int = 0) -> Unit | None:
        """Return the unit that runs some arms; None where there is nothing to run."""
        members = [each for each in self.inputs.problems.values() if each.split == self.split]
        if not arms or not members:
            return None
        members.sort(key=lambda problem: problem.problem_id)
        work = self._work(arms, seed)
        return Unit(
            STAGE,
            f"search {self.split} {_words(arms[0])}, seed {self.inputs.pipeline_seed}.{seed}",
            REVISION,
            work.parameters(),
            self._refs(work) | {"problems": problems_ref(self.inputs.problems_manifest, members)},
        )

    def _work(self, arms: Sequence[Arm], seed: int) -> SearchWork:
        per_token = not domain_of(self.settings).equal_lengths
        options = search_options(self.settings, {arm.strategy for arm in arms}, per_token=per_token)
        return SearchWork(
            **decoding_of(self.settings),
            policy_id=self.inputs.policy.policy_id,
            split=self.split,
            pipeline_seed=self.inputs.pipeline_seed,
            seed=seed,
            options=options,
            arms=tuple(arms),
        )

    def _refs(self, work: SearchWork) -> dict[str, InputRef]:
        """Return the policy and the verifiers that a unit reads."""
        roles = {
            role for arm in work.arms for role in STRATEGIES[arm.strategy].roles(arm, work.options)
        }
        if missing := roles - self.inputs.verifiers.keys():
            raise WorkError(
                f"{_words(work.arms[0])}: expected the verifiers {sorted(missing)} to be trained, "
                f"got {sorted(self.inputs.verifiers)}; run `pav train` again"
            )
        refs = {role: self.inputs.verifiers[role].ref for role in sorted(roles)}
        return {"policy": self.inputs.policy.ref} | refs


def _words(arm: Arm) -> str:
    if not is_stepwise(arm.strategy):
        return "best-of-N"
    return arm.title
