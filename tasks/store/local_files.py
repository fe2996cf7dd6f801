"""Files on a local disk: written whole or not at all, listed, and swept of what was abandoned."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# A younger temporary may be one that a process is writing.
_ABANDONED_SECONDS = 3600.0


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk, then rename it.

    The file has the mode of the one that it replaces.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp"
    try:
        with open(_create(temporary, like=path), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _create(path: Path, *, like: Path) -> int:
    """Return the descriptor of a new file, of the same mode as a file that is there already."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        mode = stat.S_IMODE(os.stat(like).st_mode)
    except FileNotFoundError:
        return os.open(path, flags, 0o666)
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, mode)
    return descriptor


def file_sizes(folder: Path) -> dict[str, int]:
    """Return path -> size of every file below a folder; files half written are left out."""
    found: dict[str, int] = {}
    for path in _walk(folder):
        with suppress(FileNotFoundError):
            if not _is_temporary(path):
                found[path] = os.stat(path).st_size
    return found


def sweep(folder: Path) -> None:
    """Remove the files half written below a folder that nobody has touched for an hour."""
    for path in filter(_is_temporary, _walk(folder)):
        with suppress(OSError):
            if time.time() - os.stat(path).st_mtime > _ABANDONED_SECONDS:
                os.unlink(path)


def cache_folder() -> Path:
    """Return the folder for downloaded files: $XDG_CACHE_HOME/pav, else ~/.cache/pav."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pav"


def _walk(folder: Path) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (f"{parent}/{name}" for name in names)


def _is_temporary(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(".") and name.endswith(".tmp")
