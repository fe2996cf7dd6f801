"""Files that the user names with `--out`: checked before any work, written whole or not at all."""

import os
from collections.abc import Iterable
from pathlib import Path

from pav.models.errors import InputError, StoreError
from pav.tasks.store import write_atomically


def check_out(path: str) -> None:
    """Raise InputError where a file cannot be written at a path, before any work."""
    folder = Path(path).parent
    if Path(path).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"--out: expected a file in a folder that can be written, got {path!r}")


def write_rows(path: str, lines: Iterable[str]) -> None:
    """Write lines to a file, whole or not at all; StoreError where it cannot be written."""
    write_out(path, "".join(f"{line}\n" for line in lines).encode())


def write_out(path: str, data: bytes) -> None:
    """Write bytes to a file, whole or not at all; StoreError where it cannot be written."""
    try:
        write_atomically(Path(path), data)
    except OSError as error:
        raise StoreError(f"--out {path}: cannot be written: {error.strerror or error}") from None
