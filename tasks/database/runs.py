"""The files of a run beside its units: its record, the database and its report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pav.models.errors import InputError, WorkError
from pav.models.hashing import canonical_json, digest, parse_json
from pav.models.settings import RunSettings
from pav.tasks.database.database import DATABASE_VERSION
from pav.tasks.database.plugin_tables import plugins_mark
from pav.tasks.database.publishing import DATABASE, database_fingerprint, publish_database
from pav.tasks.database.recorded_runs import read_runs, record_run
from pav.tasks.prepare.policies import PolicySpec
from pav.tasks.store.store import MissingFileError, Store
from pav.tasks.store.units import Manifest

# Raised when the report shows something new, so that the next command writes it again.
REPORT_VERSION = 2
# The mark of the store's database: its run and the hash of its data.
DATABASE_MARK = "labels.json"
_SHOWN_FAULTS = 5


@dataclass(frozen=True)
class FinishedRun:
    """A run whose units are all finished, whatever stage it went up to."""

    run_id: str
    settings: RunSettings
    policies: Mapping[str, PolicySpec]
    manifests: Mapping[str, Sequence[Manifest]]

    @property
    def content(self) -> str:
        """The hash of everything that the run's units made."""
        refs = [m.ref.content for manifests in self.manifests.values() for m in manifests]
        return digest(sorted(refs), length=20)

    @property
    def unit_ids(self) -> list[str]:
        """Every unit of the run, made or reused."""
        return [m.unit.unit_id for manifests in self.manifests.values() for m in manifests]


def publish_run(store: Store, run: FinishedRun) -> list[str]:
    """Record a run and rebuild labels.duckdb, in which it is now the last; return its faults.

    A run with faults is not marked as published, so the next command finds the faults again.
    """
    record_run(
        store,
        run.run_id,
        settings=run.settings.model_dump(mode="json"),
        unit_ids=run.unit_ids,
        policies=_policy_rows(run.policies),
        verifiers=_verifier_rows(run),
    )
    faults = [fault.text for fault in publish_database(store).faults]
    if not faults:
        _write_json(store, DATABASE_MARK, _database_mark(store, run))
    return faults


def check_faults(store: Store, faults: Sequence[str]) -> None:
    """Raise WorkError where a published database has faults; the message names the first ones."""
    if not faults:
        return
    shown = "".join(f"\n  {fault}" for fault in faults[:_SHOWN_FAULTS])
    more = f"\n  and {len(faults) - _SHOWN_FAULTS:,} more" if len(faults) > _SHOWN_FAULTS else ""
    raise WorkError(
        f"{store.address(DATABASE)}: published, but its integrity checks found "
        f"{len(faults):,} {'fault' if len(faults) == 1 else 'faults'}:{shown}{more}\n"
        f"`pav check --store {store.root}` lists all; remove the manifests of the units that made "
        "these rows, or use another store"
    )


def is_published(store: Store, run: FinishedRun) -> bool:
    """Tell whether the store's database is of this run, whole, and holds all its units made."""
    return store.exists(DATABASE) and _read_json(store, DATABASE_MARK) == _database_mark(store, run)


def report_path(run_id: str) -> str:
    """Return where a run's report lies in the store."""
    return f"runs/{run_id}/report.html"


def results_path(run_id: str) -> str:
    """Return where the numbers of a run's report lie in the store."""
    return f"runs/{run_id}/results.json"


def written_report(store: Store, run_id: str = "") -> str:
    """Return where the report of a run lies, of the newest that has one where none is named."""
    names = [run_id] if run_id else [str(run["run_id"]) for run in reversed(read_runs(store))]
    for name in names:
        if store.exists(report_path(name)):
            return store.address(report_path(name))
    which = f"of run {run_id!r}" if run_id else "yet"
    raise InputError(
        f"{store.root}: no report {which}; `pav run --store {store.root}` makes one, "
        "`pav sql runs` lists the runs"
    )


def mark_reported(store: Store, run: FinishedRun) -> None:
    """Mark the run's report as made from the data of its units; the mark is written last."""
    _write_json(store, f"runs/{run.run_id}/reported.json", _report_mark(run))


def is_reported(store: Store, run: FinishedRun) -> bool:
    """Tell whether the run has a report of the present kind, made from the data of its units."""
    noted = _read_json(store, f"runs/{run.run_id}/reported.json")
    return noted == _report_mark(run) and store.exists(report_path(run.run_id))


def _report_mark(run: FinishedRun) -> dict[str, Any]:
    return {"content": run.content, "version": REPORT_VERSION}


def _database_mark(store: Store, run: FinishedRun) -> dict[str, Any]:
    """Return the mark of this run's database; by its hash a damaged database has another mark."""
    return {
        "run_id": run.run_id,
        "content": run.content,
        "version": DATABASE_VERSION,
        "file": database_fingerprint(store),
        **plugins_mark(),
    }


def _policy_rows(policies: Mapping[str, PolicySpec]) -> list[dict[str, Any]]:
    return [
        {
            "name": role,
            "policy_id": spec.policy_id,
            "parent_policy_id": spec.parent_policy_id,
            "checkpoint": spec.checkpoint,
            "round": 0,
            "unit_id": spec.ref.unit_id,
        }
        for role, spec in policies.items()
    ]


def _verifier_rows(run: FinishedRun) -> list[dict[str, Any]]:
    return [
        {
            "name": manifest.unit.parameters["verifier"],
            "pipeline_seed": manifest.unit.parameters["pipeline_seed"],
            "kind": manifest.unit.parameters["kind"],
            "heads": manifest.unit.parameters["heads"],
            "policy_id": run.policies["base"].policy_id,
            "checkpoint": f"{_folder(manifest)}/model",
            "unit_id": manifest.unit.unit_id,
        }
        for manifest in run.manifests.get("train", ())
    ]


def _folder(manifest: Manifest) -> str:
    """Return where a unit's files lie in the store."""
    return manifest.files[0].path.removesuffix(f"/{manifest.files[0].name}")


def _write_json(store: Store, path: str, value: Mapping[str, Any]) -> None:
    store.write_bytes(path, (canonical_json(value) + "\n").encode())


def _read_json(store: Store, path: str) -> dict[str, Any]:
    try:
        value = parse_json(store.read_bytes(path))
    except (MissingFileError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
