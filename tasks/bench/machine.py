"""What this machine has: interpreter, cores, memory, devices, versions."""

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path

from pav.models.errors import StoreError
from pav.tasks.store.store import Store

_PACKAGES = ("pav", "torch", "transformers", "prefect", "polars", "duckdb", "s3fs")


def machine_facts() -> dict[str, str]:
    """Return what there is to compute with, name -> words; imports torch."""
    return {
        "python": f"{platform.python_version()} ({platform.platform(terse=True)})",
        "cores": f"{len(os.sched_getaffinity(0))} usable of {os.cpu_count()}",
        "memory": _memory(),
        "device": _device(),
        **{name: _version(name) for name in _PACKAGES},
        "prefect server": os.environ.get("PREFECT_API_URL") or "temporary, started by each run",
    }


def store_facts(store: Store) -> dict[str, str]:
    """Return whether the store can be written, and the room it has."""
    try:
        store.check_writable()
    except StoreError as error:
        return {"store": store.root, "store writable": f"no: {error}"}
    facts = {"store": store.root, "store writable": "yes"}
    if store.is_local:
        folder = Path(store.root)
        while not folder.exists():
            folder = folder.parent
        facts["store room"] = f"{shutil.disk_usage(folder).free / 2**30:.1f} GiB free"
    return facts


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _memory() -> str:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{total / 2**30:.1f} GiB, {free / 2**30:.1f} GiB free"


def _device() -> str:
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return ", ".join(f"cuda:{index} {name}" for index, name in enumerate(names))
