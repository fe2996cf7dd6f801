"""Where a run stands: what is done, missing and failed, what it cost, what is left."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pav.flows.plan import PART_NAMES, Part, Plan, check_settings
from pav.models.settings import RunSettings
from pav.tasks.label_estimates import (
    LabelEstimate,
    estimate_words,
    known_estimate,
)
from pav.tasks.ledger import executions
from pav.tasks.planning import report_stage
from pav.tasks.run_records import is_reported, report_path
from pav.tasks.store import Store


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
class Overview:
    """Every part that can be planned by now, those that cannot yet, and the report."""

    parts: Sequence[PartStatus]
    unplanned: Sequence[str]
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
        return sum(part.seconds_left or 0.0 for part in self.parts) / self.workers

    def as_record(self) -> dict[str, Any]:
        """Return the overview for programs."""
        totals = {"seconds": self.seconds, "seconds_left": self.seconds_left}
        return asdict(self) | totals

    def as_text(self) -> str:
        """Return the overview for people."""
        lines = [part.line for part in self.parts]
        if self.unplanned:
            lines.append(f"planned once these are done: {', '.join(self.unplanned)}")
        lines += self.notes
        lines.append(f"spent {self.seconds:,.1f} s of workers{self._price()}; {self._outlook()}")
        return "\n".join(lines)

    def _price(self) -> str:
        price = self.device_hour_price * self.seconds / 3600
        return f", {price:.2f} at {self.device_hour_price:g} an hour" if price else ""

    def _outlook(self) -> str:
        if self.report:
            return f"all is done, report at {self.report}"
        unknown = any(part.missing and part.seconds_left is None for part in self.parts)
        more = " and what cannot be estimated yet" if unknown or self.unplanned else ""
        return f"about {self.seconds_left:,.0f} s left on {self.workers} workers{more}"


def look(settings: RunSettings, store: Store) -> Overview:
    """Return where a run stands, without starting or writing anything."""
    check_settings(settings)
    plan = Plan(settings, store)
    parts = list(plan.walk())
    failed = _failed(store) if any(part.todo for part in parts) else {}
    known = {part.name for part in parts}
    report = ""
    if not parts[-1].todo and len(known) == len(PART_NAMES):
        run = plan.finished_run()
        report = store.address(report_path(run.run_id)) if is_reported(store, run) else ""
    estimate = _estimate(plan)
    return Overview(
        parts=[_status(part, failed, estimate if part.name == "label" else None) for part in parts],
        unplanned=[name for name in PART_NAMES if name not in known],
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
    """Return what is to be said of labels: their price, and estimate against outcome."""
    if "label" in plan.parts and not plan.parts["label"].todo:
        return [f"label: {note}" for note in plan.label_notes]
    return [f"label: {estimate_words(estimate)}"] if estimate else []


def _failed(store: Store) -> dict[str, str]:
    """Return unit_id -> error of the units whose last execution failed."""
    last = {entry["unit_id"]: entry for entry in executions(store)}
    return {unit: entry["error"] for unit, entry in last.items() if entry["event"] == "failed"}


def _status(
    part: Part, failed: Mapping[str, str], estimate: LabelEstimate | None = None
) -> PartStatus:
    manifests = list(part.done.values())
    seconds = sum(manifest.cost.get("seconds", 0.0) for manifest in manifests)
    num_failed = sum(unit.unit_id in failed for unit in part.todo)
    num_todo = len(part.todo)
    mean = seconds / len(manifests) if manifests else None
    if estimate and not manifests:
        mean = estimate.total["seconds"] / len(part.units)
    return PartStatus(
        part=part.name,
        data_sets=report_stage(part.name, manifests, costs={}).datasets,
        done=len(manifests),
        missing=num_todo - num_failed,
        failed=num_failed,
        seconds=round(seconds, 2),
        generated_tokens=sum(m.cost.get("generated_tokens", 0.0) for m in manifests),
        seconds_left=0.0 if not num_todo else None if mean is None else mean * num_todo,
    )


def _left(status: PartStatus) -> str:
    if status.seconds_left is None:
        return "time left unknown"
    return f"{status.seconds_left:7.0f} s left"
