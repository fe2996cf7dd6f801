"""What every part of the pipeline consists of, planned from what is finished before it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from pav.flows.stages import all_parts
from pav.models.errors import WorkError
from pav.models.hashing import digest
from pav.models.plugins import named_object
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.tasks.database.runs import FinishedRun
from pav.tasks.evaluate.choice import SEARCHED, Choice, choose
from pav.tasks.evaluate.plan import SearchInputs, plan_choice, plan_search, verifiers_by_role
from pav.tasks.label.estimates import budget_rollouts
from pav.tasks.label.notes import label_notes
from pav.tasks.label.pilot_plan import piloted, plan_pilots
from pav.tasks.label.plan import labelled, plan_labelling
from pav.tasks.label.rounds_plan import Rounds
from pav.tasks.label.unparsed import check_sampled
from pav.tasks.prepare.plan import plan_pretrain
from pav.tasks.prepare.policies import PolicySpec, resolve_policies
from pav.tasks.problems.plan import plan_problems
from pav.tasks.problems.published import read_problems
from pav.tasks.sample.imported_plan import plan_imported
from pav.tasks.sample.plan import plan_sampling
from pav.tasks.store.manifests import find_many, read_tables
from pav.tasks.store.stage_report import StageReport, report_stage
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Unit
from pav.tasks.train.plan import plan_training


@dataclass(frozen=True)
class Part:
    """The units of one part of the pipeline and what is finished of them."""

    name: str
    units: tuple[Unit, ...]
    done: Mapping[str, Manifest]

    @property
    def todo(self) -> list[Unit]:
        """The units whose results are missing or damaged."""
        return [unit for unit in self.units if unit.unit_id not in self.done]

    @property
    def manifests(self) -> list[Manifest]:
        """The manifests of a finished part, in the order of its units."""
        return [self.done[unit.unit_id] for unit in self.units]


@dataclass
class Plan:
    """The parts of a run; each can be planned once those before it are finished."""

    settings: RunSettings
    store: Store
    parts: dict[str, Part] = field(default_factory=dict)

    def part(self, name: str) -> Part:
        """Return a part with its present state, looking up the store again."""
        planned: Sequence[Unit] = named_object(all_parts()[name].plan)(self)
        units = {unit.unit_id: unit for unit in planned}
        self.parts[name] = Part(name, tuple(units.values()), find_many(self.store, units.values()))
        return self.parts[name]

    def finished(self, name: str) -> list[Manifest]:
        """Return the manifests of an earlier part; WorkError where any is missing."""
        part = self.parts.get(name) or self.part(name)
        if part.todo:
            raise WorkError(f"{len(part.todo)} of {len(part.units)} units of {name!r} are not done")
        return part.manifests

    def walk(self) -> Iterator[Part]:
        """Yield every part in order; stop after the first one that is not finished."""
        for name in all_parts():
            part = self.part(name)
            yield part
            if part.todo:
                return

    def report(self, name: str, *, seconds: Mapping[str, float]) -> StageReport:
        """Return what was done for a finished part; `seconds` are by the units just made."""
        manifests = self.finished(name)
        return report_stage(name, manifests, costs=seconds, notes=self.notes(name))

    def notes(self, name: str) -> tuple[str, ...]:
        """Return what is to be said of a finished part."""
        notes = all_parts()[name].notes
        return tuple(named_object(notes)(self)) if notes else ()

    def check(self, name: str) -> None:
        """Raise InputError for what can be known to be wrong before a part is made."""
        if check := all_parts()[name].check:
            named_object(check)(self)

    @property
    def piloted_units(self) -> list[Unit]:
        """The label units that pilots are cut from; under a budget, a first block everywhere."""
        return plan_labelling(
            piloted(self.settings),
            policies=self.policies,
            sample_manifests=self.finished("sample"),
        )

    @cached_property
    def problems(self) -> Mapping[str, Problem]:
        """The problems by id."""
        return read_problems(self.store, self.finished("problems")[0].unit.unit_id)

    @cached_property
    def policies(self) -> Mapping[str, PolicySpec]:
        """The policies by name: the base and its provers."""
        pretrain = self.finished("pretrain")
        return resolve_policies(self.settings, self.store, pretrain[0] if pretrain else None)

    def label_units(self) -> list[Unit]:
        """Return the units that label, of a budget's rounds those that can be known by now."""
        settings, first = self.settings, self.piloted_units
        if not settings.label.budget:
            return first
        pilots: list[Unit] = []
        if settings.label.budget_unit != "rollouts":
            pilots = [*plan_pilots(settings, self.store, label_units=first).values()]
        budget = budget_rollouts(settings, self.store, first)
        if budget is None:
            return pilots
        rounds = [self._rounds_of(seed, budget).units() for seed in settings.pipeline_seeds]
        return [*pilots, *chain.from_iterable(rounds)]

    def _rounds_of(self, pipeline_seed: int, budget: int) -> Rounds:
        sampled = self.of_seed("sample", pipeline_seed)
        return Rounds(self.settings, self.store, self.policies, sampled, budget)

    def choice(self, pipeline_seed: int) -> Choice:
        """Return what validation chose for a pipeline seed."""
        chosen = self.of_seed("choose", pipeline_seed)
        return choose(self.settings, *(read_tables(self.store, chosen, name) for name in SEARCHED))

    def of_seed(self, name: str, pipeline_seed: int) -> list[Manifest]:
        """Return the manifests of an earlier part that belong to one pipeline seed."""
        return [
            manifest
            for manifest in self.finished(name)
            if manifest.unit.parameters["pipeline_seed"] == pipeline_seed
        ]

    @property
    def run_id(self) -> str:
        """12 hex digits of all units and of the settings that can change a result."""
        units = sorted(unit.unit_id for part in self.parts.values() for unit in part.units)
        settings = self.settings.model_dump(mode="json", exclude={"runner"})
        return digest([settings, units], length=12)

    def finished_run(self, names: Iterable[str] | None = None) -> FinishedRun:
        """Return the run as its record has it; WorkError where a named part is not done."""
        manifests = {name: self.finished(name) for name in names or all_parts()}
        return FinishedRun(self.run_id, self.settings, self.policies, manifests)


def problems_units(plan: Plan) -> list[Unit]:
    """Return the unit that makes the problems."""
    return [plan_problems(plan.settings)]


def pretrain_units(plan: Plan) -> list[Unit]:
    """Return the unit that trains the policies that are not given."""
    return plan_pretrain(plan.settings, plan.finished("problems")[0])


def sample_units(plan: Plan) -> list[Unit]:
    """Return the units that sample, or take over, solutions."""
    planner = plan_imported if plan.settings.sample.path else plan_sampling
    return [
        unit
        for seed in plan.settings.pipeline_seeds
        for unit in planner(
            plan.settings,
            pipeline_seed=seed,
            problems=plan.problems,
            problems_manifest=plan.finished("problems")[0],
            policies=plan.policies,
        )
    ]


def label_units(plan: Plan) -> list[Unit]:
    """Return the units that label."""
    return plan.label_units()


def check_answers(plan: Plan) -> None:
    """Raise InputError where too many sampled solutions have no answer that can be found."""
    check_sampled(plan.settings, plan.store, plan.policies, plan.finished("sample"))


def notes_of_labels(plan: Plan) -> tuple[str, ...]:
    """Return what is to be said of finished labels: their price, and estimate against outcome."""
    return label_notes(
        plan.settings, plan.store, plan.finished("label"), label_units=plan.piloted_units
    )


def train_units(plan: Plan) -> list[Unit]:
    """Return the units that train verifiers."""
    return [
        unit
        for seed in plan.settings.pipeline_seeds
        for unit in plan_training(
            plan.settings,
            pipeline_seed=seed,
            policies=plan.policies,
            sample_manifests=plan.finished("sample"),
            label_manifests=labelled(plan.finished("label")),
        )
    ]


def choose_units(plan: Plan) -> list[Unit]:
    """Return the units that choose alpha and the final pick on validation problems."""
    settings = plan.settings
    return [
        unit
        for seed in settings.pipeline_seeds
        for unit in plan_choice(settings, _search_inputs(plan, seed))
    ]


def evaluate_units(plan: Plan) -> list[Unit]:
    """Return the units that search the test problems."""
    return [
        unit
        for seed in plan.settings.pipeline_seeds
        for unit in plan_search(plan.settings, _search_inputs(plan, seed), plan.choice(seed))
    ]


def _search_inputs(plan: Plan, pipeline_seed: int) -> SearchInputs:
    return SearchInputs(
        pipeline_seed=pipeline_seed,
        problems=plan.problems,
        problems_manifest=plan.finished("problems")[0],
        policy=plan.policies["base"],
        verifiers=verifiers_by_role(plan.of_seed("train", pipeline_seed)),
    )
