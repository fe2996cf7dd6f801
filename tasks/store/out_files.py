"""Files that the user names with `--out`: checked before any work, written whole or not at all."""

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pav.models.errors import InputError, StoreError
from pav.tasks.store.local_files import write_atomically

_EXPECTED = "--out: expected a file in a folder that can be written"
_KINDS: Mapping[str, Callable[[int], bool]] = {
    "a folder": stat.S_ISDIR,
    "a FIFO": stat.S_ISFIFO,
    "a socket": stat.S_ISSOCK,
    "a character device": stat.S_ISCHR,
    "a block device": stat.S_ISBLK,
}


def check_out(path: str) -> None:
    """Raise InputError where a file cannot be written at a path, before any work."""
    _target(path)


def write_rows(path: str, lines: Iterable[str]) -> None:
    """Write lines to a file, whole or not at all; StoreError where it cannot be written."""
    write_out(path, "".join(f"{line}\n" for line in lines).encode())


def write_out(path: str, data: bytes) -> None:
    """Write bytes to a file, whole or not at all; StoreError where it cannot be written."""
    target = _target(path)
    try:
        write_atomically(target, data)
    except OSError as error:
        raise StoreError(f"--out {path}: cannot be written: {error.strerror or error}") from None


def _target(path: str) -> Path:
    """Return the regular file, there or to come, that a path or its symbolic link leads to.

    Writing replaces what is there, which must never happen to a device, a FIFO or a link.
    """
    target = Path(os.path.realpath(path))
    try:
        kind = _kind(path)
        is_writable = target.parent.is_dir() and os.access(target.parent, os.W_OK)
        if kind == "a file":
            is_writable = is_writable and os.access(target, os.W_OK)
    except OSError as error:
        raise InputError(f"{_EXPECTED}, got {path!r} ({error.strerror})") from None
    if kind not in ("a file", "nothing"):
        raise InputError(f"{_EXPECTED}, got {kind} at {path!r}; name a regular file or a new one")
    if not path or not is_writable:
        raise InputError(f"{_EXPECTED}, got {path!r}")
    return target


def _kind(path: str) -> str:
    """Return what is at a path, or where its symbolic link leads, in words."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "nothing"
    return next((kind for kind, is_kind in _KINDS.items() if is_kind(mode)), "a file")
