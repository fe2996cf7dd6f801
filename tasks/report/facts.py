"""The origin of a report: when its data were made, by which code, settings and machine."""

import importlib.metadata
import importlib.resources
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from pav.models.settings import RunSettings
from pav.tasks.database.runs import FinishedRun

_SHOWN_CHANGES = 3


def run_facts(run: FinishedRun) -> dict[str, Any]:
    """Return dates, code, config, versions and machine of a run, ready for `results.json`."""
    manifests = [manifest for found in run.manifests.values() for manifest in found]
    name, changes = nearest_config(run.settings)
    return {
        "data_from": min(manifest.created_at for manifest in manifests),
        "data_until": max(manifest.created_at for manifest in manifests),
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": importlib.metadata.version("pav"),
        "commit": commit_of(Path(__file__)),
        "config": name,
        "changed_settings": changes,
        "versions": _versions(manifest.versions for manifest in manifests),
        "machine": machine_words(),
    }


def nearest_config(settings: RunSettings) -> tuple[str, list[str]]:
    """Return the shipped config that differs least, and the settings that differ from it.

    How a run is spread over workers changes no result, so the block `runner` is not compared.
    """
    mine = _flat(settings)
    found = [(name, _changes(mine, _flat(config))) for name, config in _shipped()]
    return min(found, key=lambda pair: len(pair[1]))


def config_words(name: str, changes: Sequence[str]) -> str:
    """Return a run's config in words, with the settings that differ where they are few."""
    if not changes:
        return name
    if len(changes) <= _SHOWN_CHANGES:
        return f"{name} with {', '.join(changes)}"
    return f"your own; {len(changes)} settings differ from {name} (all settings: end of the page)"


def commit_of(file: Path) -> str:
    """Return the commit of the git checkout that tracks a file; nothing where none does."""
    folder = file.resolve().parent
    if not _git(folder, "ls-files", "--error-unmatch", file.resolve().name):
        return ""
    commit = _git(folder, "rev-parse", "--short=12", "HEAD")
    is_changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit} with uncommitted changes" if is_changed else commit


def machine_words() -> str:
    """Return the system, cores and memory of this machine in words."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"{platform.system()} {platform.machine()}, {cores} CPU core{'' if cores == 1 else 's'}, "
        f"{memory:.0f} GiB of memory"
    )


def _git(folder: Path, *words: str) -> str:
    """Return what git says of a folder; nothing where git or a repository is missing."""
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _versions(recorded: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the versions that the units were made with; several of one package stand together."""
    found: dict[str, set[str]] = {}
    for versions in recorded:
        for package, version in versions.items():
            found.setdefault(package, set()).add(version)
    return {package: " and ".join(sorted(found[package])) for package in sorted(found)}


def _shipped() -> Iterator[tuple[str, RunSettings]]:
    for file in sorted(importlib.resources.files("pav.configs").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            values = yaml.safe_load(file.read_text(encoding="utf-8"))
            yield file.name.removesuffix(".yaml"), RunSettings.model_validate(values)


def _flat(settings: RunSettings) -> dict[str, Any]:
    """Return settings by dotted name."""
    flat: dict[str, Any] = {}
    for block, value in settings.model_dump(mode="json", exclude={"runner"}).items():
        if isinstance(value, Mapping):
            flat |= {f"{block}.{key}": inner for key, inner in value.items()}
        else:
            flat[block] = value
    return flat


def _changes(mine: Mapping[str, Any], shipped: Mapping[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in mine.items() if shipped.get(key) != value]
