"""Where a run stands: what is done, missing and failed, what it cost, what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pav.flows.checks import check_settings
from pav.flows.forecast import foresee
from pav.flows.plan import Part, Plan
from pav.flows.stages import all_parts
from pav.models.settings import RunSettings
from pav.tasks.database.runs import is_reported, report_path
from pav.tasks.label.estimates import LabelEstimate, known_estimate
from pav.tasks.label.notes import estimate_words
from pav.tasks.runner.progress import clock_text
from pav.tasks.store.ledger import executions
from pav.tasks.store.stage_report import report_stage
from pav.tasks.store.store import Store


@dataclass(frozen=True)
class PartStatus:
    """One part: units by state, seconds and tokens that the done ones cost, seconds left."""

    part: str
    data_sets: tuple[str, ...]
    done: int
    missing: int
    failed: int
    seconds: float
    generated_tokens: float
    seconds_left: float | None

    @property
    def line(self) -> str:
        """One line for people."""
        cells = [
            f"{self.part:9} {self.done:5} done {self.missing:5} missing {self.failed:5} failed",
            f"{self.seconds:9.1f} s",
            f"{self.generated_tokens:12,.0f} tokens",
            _left(self),
            ", ".join(self.data_sets),
        ]
        return "  ".join(cells).rstrip()


@dataclass(frozen=True)
class Expected:
    """What is to be made of a part that cannot be planned yet: units, and seconds where known."""

    units: int
    seconds: float | None


@dataclass(frozen=True)
class Overview:
    """Every part that can be planned by now, what is expected of the others, and the report."""

    parts: Sequence[PartStatus]
    unplanned: Mapping[str, Expected]
    workers: int
    device_hour_price: float
    report: str
    notes: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Seconds of workers spent so far."""
        return sum(part.seconds for part in self.parts)

    @property
    def seconds_left(self) -> float:
        """Seconds of the run left, as far as finished units tell."""
        return sum(seconds or 0.0 for seconds in self._left().values()) / self.workers

    def _left(self) -> dict[str, float | None]:
        """Return part -> worker seconds left of it, None where nothing tells."""
        planned = {part.part: part.seconds_left for part in self.parts}
        return planned | {name: expected.seconds for name, expected in self.unplanned.items()}

    def as_record(self) -> dict[str, Any]:
        """Return the overview for programs."""
        totals = {"seconds": self.seconds, "seconds_left": self.seconds_left}
        return asdict(self) | totals

    def as_text(self) -> str:
        """Return the overview for people."""
        lines = [part.line for part in self.parts]
        if self.unplanned:
            counts = ", ".join(f"{name} {each.units}" for name, each in self.unplanned.items())
            lines.append(f"after that, in units: about {counts}")
        lines += self.notes
        lines.append(f"spent {self.seconds:,.1f} s of workers{self._price()}; {self._outlook()}")
        return "\n".join(lines)

    def _price(self) -> str:
        price = self.device_hour_price * self.seconds / 3600
        return f", {price:.2f} at {self.device_hour_price:g} an hour" if price else ""

    def _outlook(self) -> str:
        if self.report:
            return f"all is done, report at {self.report}"
        workers = f"{self.workers} {'worker' if self.workers == 1 else 'workers'}"
        unknown = ", ".join(name for name, seconds in self._left().items() if seconds is None)
        known = f"about {clock_text(self.seconds_left)} left on {workers}"
        if not unknown:
            return known
        if not self.seconds_left:
            return "time left unknown, as this store has no finished unit to tell it by"
        return f"{known} and that of {unknown}, which no finished unit tells yet"


def look(settings: RunSettings, store: Store) -> Overview:
    """Return where a run stands, without starting or writing anything."""
    check_settings(settings)
    plan = Plan(settings, store)
    parts = list(plan.walk())
    failed = _failed(store) if any(part.todo for part in parts) else {}
    known = {part.name for part in parts}
    report = ""
    if not parts[-1].todo and len(known) == len(all_parts()):
        run = plan.finished_run()
        report = store.address(report_path(run.run_id)) if is_reported(store, run) else ""
    estimate, outlook = _estimate(plan), foresee(plan)
    return Overview(
        parts=[
            _status(
                part, failed, outlook.seconds[part.name], estimate if part.name == "label" else None
            )
            for part in parts
        ],
        unplanned={
            name: Expected(outlook.missing[name], outlook.seconds[name])
            for name in all_parts()
            if name not in known and name in outlook.missing
        },
        workers=settings.runner.workers,
        device_hour_price=settings.runner.device_hour_price,
        report=report,
        notes=_notes(plan, estimate),
    )


def _estimate(plan: Plan) -> LabelEstimate | None:
    """Return what all labels cost by their pilots, where there are any."""
    if "label" not in plan.parts:
        return None
    return known_estimate(plan.settings, plan.store, plan.piloted_units)


def _notes(plan: Plan, estimate: LabelEstimate | None) -> list[str]:
    """Return what is to be said of finished parts, and what labels are estimated to cost."""
    done = [part.name for part in plan.parts.values() if not part.todo]
    notes = [f"{name}: {note}" for name in done for note in plan.notes(name)]
    if estimate and "label" not in done:
        notes.append(f"label: {estimate_words(estimate)}")
    return notes


def _failed(store: Store) -> dict[str, str]:
    """Return unit_id -> error of the units whose last execution failed."""
    last = {entry["unit_id"]: entry for entry in executions(store)}
    return {unit: entry["error"] for unit, entry in last.items() if entry["event"] == "failed"}


def _status(
    part: Part,
    failed: Mapping[str, str],
    expected: float | None,
    estimate: LabelEstimate | None,
) -> PartStatus:
    """Return where a part stands; `expected` is what is left of it by units made before."""
    manifests = list(part.done.values())
    seconds = sum(manifest.cost.get("seconds", 0.0) for manifest in manifests)
    num_failed = sum(unit.unit_id in failed for unit in part.todo)
    num_todo = len(part.todo)
    left = expected
    if manifests:
        left = seconds / len(manifests) * num_todo
    elif estimate:
        left = estimate.total["seconds"]
    return PartStatus(
        part=part.name,
        data_sets=report_stage(part.name, manifests, costs={}).datasets,
        done=len(manifests),
        missing=num_todo - num_failed,
        failed=num_failed,
        seconds=round(seconds, 2),
        generated_tokens=sum(m.cost.get("generated_tokens", 0.0) for m in manifests),
        seconds_left=left if num_todo else 0.0,
    )


def _left(status: PartStatus) -> str:
    if status.seconds_left is None:
        return "time left unknown"
    return f"{clock_text(status.seconds_left):>7} left"
