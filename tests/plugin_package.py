"""A package that adds to pav, installed as pip would leave it: its modules and its entry points."""

import shutil
from collections.abc import Mapping
from pathlib import Path


def installed(
    folder: Path, *modules: Path | tuple[str, str], points: Mapping[str, Mapping[str, str]]
) -> Path:
    """Install modules, files or (name, text) pairs, into a folder for PYTHONPATH; return it.

    `points` maps a group such as `pav.strategies` to name -> `module:object`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for module in modules:
        if isinstance(module, Path):
            shutil.copy(module, folder)
        else:
            (folder / module[0]).write_text(module[1])
    package = folder / "toy-0.1.dist-info"
    package.mkdir(exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 0.1\n")
    lines = [
        line
        for group, names in points.items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in names.items()))
    ]
    (package / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder
