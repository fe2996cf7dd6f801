"""Files that the user names to be read; pipes and devices, which may never end, are refused."""

import stat
from pathlib import Path

from pav.models.errors import InputError, shown

_ENDLESS = {
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def read_file(path: str, *, asked_by: str) -> bytes:
    """Return the bytes of a file; InputError where it is missing or no regular file.

    `asked_by` says which setting or argument names the file.
    """
    _check_name(path, asked_by)
    try:
        kind = _ENDLESS.get(stat.S_IFMT(Path(path).stat().st_mode))
        data = b"" if kind else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{asked_by}: cannot read {shown(path)}: {reason}") from None
    if kind:
        raise InputError(
            f"{asked_by}: expected a regular file, {shown(path)} is {kind}; write what it gives to "
            "a file first"
        )
    return data


def decoded(path: str, data: bytes) -> str:
    """Return a file's bytes as text; InputError names the line that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line} is not UTF-8 text (byte {error.start})") from None


def _check_name(path: str, asked_by: str) -> None:
    """Names of files are data: they stand in units and problems, and so must be text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{asked_by}: expected a file name in UTF-8, got {shown(path)}; rename the file"
        ) from None
