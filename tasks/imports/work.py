"""Stage `import`: a file of solutions and step labels becomes one unit; what it says is counted."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pav.models.formats import FORMATS
from pav.models.settings import GradeSettings
from pav.tasks.imports.plan import ImportPlan
from pav.tasks.imports.tables import import_outputs
from pav.tasks.store.manifests import find, publish, read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Outcome


@dataclass(frozen=True)
class Imported:
    """The counts of an import; the file lacks its `silences`, the import drops its `remarks`."""

    unit_id: str
    form: str
    is_reused: bool
    num_rows: int
    num_problems: int
    num_unanswered: int
    num_solutions: int
    num_open: int
    labels: Mapping[str, int]
    verdicts: Mapping[str, int]
    silences: Sequence[str]
    remarks: Mapping[str, int]

    def as_record(self) -> dict[str, Any]:
        """Return the counts for programs."""
        return asdict(self)

    def as_text(self) -> str:
        """Return the counts for people, and below them what the file does not say."""
        labels = [f"{number:,} {kind} labels" for kind, number in self.labels.items()]
        verdicts = [f"{number:,} {verdict}" for verdict, number in self.verdicts.items()]
        counts = [
            f"{self.num_rows:,} rows",
            f"{self.num_problems:,} problems ({self.num_unanswered:,} without an answer)",
            f"{self.num_solutions:,} solutions ({self.num_open:,} not whole)",
            ", ".join(labels) or "no labels",
            f"verdicts: {', '.join(verdicts) or 'none'}",
        ]
        state = " (was there already)" if self.is_reused else ""
        lines = [f"{self.form}: {'; '.join(counts)}", f"unit {self.unit_id}{state}"]
        remarks = [f"{number:,} {text}" for text, number in self.remarks.items()]
        if said := [*self.silences, *remarks]:
            lines.append(f"not said or not kept: {'; '.join(said)}")
        return "\n".join(lines)


def import_file(store: Store, plan: ImportPlan, *, grade: GradeSettings) -> Imported:
    """Publish the unit of a file, unless it is there already, and return what it holds."""
    manifest = find(store, plan.unit)
    is_reused = manifest is not None
    if manifest is None:
        started = time.perf_counter()
        outputs = import_outputs(plan, grade)
        cost = {"seconds": time.perf_counter() - started, "rows": float(plan.file.num_rows)}
        manifest = publish(store, plan.unit, Outcome(outputs, cost))
    return _imported(store, plan, manifest, is_reused=is_reused)


def _imported(store: Store, plan: ImportPlan, manifest: Manifest, *, is_reused: bool) -> Imported:
    solutions = read_table(store, manifest, "solutions", columns=["verdict", "finish_reason"])
    kinds = read_table(store, manifest, "imported_labels", columns=["kind"])
    verdicts = Counter(solutions["verdict"].drop_nulls().to_list())
    problems = plan.file.problems.values()
    return Imported(
        unit_id=plan.unit.unit_id,
        form=plan.work.format,
        is_reused=is_reused,
        num_rows=plan.file.num_rows,
        num_problems=len(problems),
        num_unanswered=sum(not problem.answer for problem in problems),
        num_solutions=solutions.height,
        num_open=int((solutions["finish_reason"] != "stop").sum()),
        labels=dict(sorted(Counter(kinds["kind"].to_list()).items())),
        verdicts=dict(sorted(verdicts.items())),
        silences=FORMATS[plan.work.format].silences,
        remarks=plan.file.remarks,
    )
