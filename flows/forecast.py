"""What a run is about to make, before any of it is there: units, and seconds by earlier ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pav.flows.outlook import Outlook
from pav.flows.plan import Part, Plan
from pav.flows.stages import all_parts
from pav.models.errors import StoreError
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.models.splits import SPLITS
from pav.tasks.evaluate.choice import SEARCHED, Choice, choose
from pav.tasks.label.rounds_plan import STAGE as ALLOCATE
from pav.tasks.prepare.policies import PolicySpec, resolve_policies
from pav.tasks.sample.plan import buckets, sharded
from pav.tasks.store.datasets import frame
from pav.tasks.store.ledger import executions
from pav.tasks.store.store import Store, StoreUnreachableError
from pav.tasks.store.units import DataFile, Manifest, Unit

# Problems tried for each shard until every one has some; a shard is a hash.
_TRIES = 40


def foresee(plan: Plan, names: Sequence[str] = ()) -> Outlook:
    """Return what a run up to some parts, or of all, will make; nothing is started or written."""
    names = names or tuple(all_parts())
    forecast = Forecast(plan.settings, plan.store, dict(plan.parts))
    parts = [part for name in names if (part := forecast.seen(name))]
    todo = {part.name: part.todo for part in parts}
    known = _Known(plan.store) if any(todo.values()) else None
    first = next((place for place, part in enumerate(parts) if part.todo), len(parts))
    return Outlook(
        missing={name: len(units) for name, units in todo.items()},
        seconds={name: known.seconds(units) if known else 0.0 for name, units in todo.items()},
        workers=plan.settings.runner.workers,
        is_exact=first >= len(names) - 1,
    )


class Forecast(Plan):
    """A plan that goes on past what is not finished: stand-ins take the place of its results."""

    def can_see(self, name: str) -> bool:
        """Tell whether a part can be planned: shards of a solution file are those of its rows."""
        waits = bool(self.settings.sample.path) and name not in ("problems", "pretrain")
        return not (waits and self._is_open("problems"))

    def seen(self, name: str) -> Part | None:
        """Return a part; None where its plan reads rows that are not made yet."""
        try:
            return self.part(name) if self.can_see(name) else None
        except StoreUnreachableError:
            raise
        except StoreError:
            if any(part.todo for part in self.parts.values()):
                return None
            raise

    def part(self, name: str) -> Part:
        """Return a part; one that the plan knows is not looked up again."""
        return self.parts.get(name) or super().part(name)

    def finished(self, name: str) -> list[Manifest]:
        """Return the manifests of an earlier part, of units that are not done too."""
        part = self.part(name)
        return [part.done.get(unit.unit_id) or _stand_in(unit, {"data": ""}) for unit in part.units]

    @cached_property
    def problems(self) -> Mapping[str, Problem]:
        """The problems by id; one a shard where they are not made yet."""
        return _stand_in_problems(self.settings) if self._is_open("problems") else super().problems

    @cached_property
    def policies(self) -> Mapping[str, PolicySpec]:
        """The policies by name; those kept at the same step are one."""
        if not self._is_open("pretrain"):
            return super().policies
        steps = self.settings.prepare.kept_steps
        weights = {f"{name}/model.safetensors": str(kept) for name, kept in steps.items()}
        trained = _stand_in(self.part("pretrain").units[0], weights)
        return resolve_policies(self.settings, self.store, trained)

    def choice(self, pipeline_seed: int) -> Choice:
        """Return what validation chose; the middle of the grid where it has not yet."""
        if not self._is_open("choose"):
            return super().choice(pipeline_seed)
        return choose(self.settings, *(frame(name, []) for name in SEARCHED))

    def label_units(self) -> list[Unit]:
        """Return the units that label; of a budget every round, those to come by stand-ins."""
        if not self.settings.label.budget:
            return super().label_units()
        seen = [] if self._is_open("sample") else super().label_units()
        return [*seen, *self._rounds()[len(seen) :]]

    def _rounds(self) -> list[Unit]:
        numbers = range(self.settings.label.rounds)
        allocations = [
            Unit(ALLOCATE, "allocate", 0, {"pipeline_seed": seed, "round": number})
            for seed in self.settings.pipeline_seeds
            for number in numbers
        ]
        bought = [_in_round(unit, number) for number in numbers for unit in self.piloted_units]
        return [*allocations, *bought]

    def _is_open(self, name: str) -> bool:
        return bool(self.part(name).todo)


@dataclass(frozen=True)
class _Known:
    """How long units took before: the last one of a name, else the mean of its stage."""

    store: Store

    @cached_property
    def _by_name(self) -> dict[str, float]:
        # A remote ledger is a request for each entry, and a run need not wait for thousands.
        entries = executions(self.store) if self.store.is_local else []
        done = (each for each in entries if each["event"] == "finished")
        return {f"{each['stage']} {each['name']}": each["seconds"] for each in done}

    def seconds(self, units: Sequence[Unit]) -> float | None:
        """Return the worker seconds of units; None where one is of a stage never seen."""
        total = 0.0
        for unit in units:
            seconds = self._by_name.get(f"{unit.stage} {unit.name}", self._mean(unit.stage))
            if seconds is None:
                return None
            total += seconds
        return total

    def _mean(self, stage: str) -> float | None:
        start = f"{stage} "
        of_stage = [each for name, each in self._by_name.items() if name.startswith(start)]
        return sum(of_stage) / len(of_stage) if of_stage else None


def _stand_in(unit: Unit, content: Mapping[str, str]) -> Manifest:
    """Return a manifest for a unit that is not done: file name -> what tells it from others."""
    files = tuple(
        DataFile(name, "", f"{unit.unit_id} {what}", 0, 0) for name, what in content.items()
    )
    return Manifest(unit, files, {}, {}, 0, "")


def _in_round(unit: Unit, number: int) -> Unit:
    values = {key: value for key, value in unit.parameters.items() if key != "block"}
    return Unit(unit.stage, unit.name, unit.revision, values | {"round": number}, unit.inputs)


def _stand_in_problems(settings: RunSettings) -> dict[str, Problem]:
    """Return as many problems as fill every shard, up to what the settings want of a split."""
    name, chosen = settings.problems.domain, settings.problems
    problems = {}
    for split, most in zip(
        SPLITS, (chosen.max_train, chosen.max_validation, chosen.max_test), strict=True
    ):
        num_shards = buckets(split, settings.sample.num_shards)
        drawn = [
            Problem(f"{split} {number}", name, "", "", split, canonical_key=f"{split} {number}")
            for number in range(_TRIES * num_shards)
        ]
        for members in list(sharded(drawn, split, num_shards).values())[:most]:
            problems[members[0].problem_id] = members[0]
    return problems
