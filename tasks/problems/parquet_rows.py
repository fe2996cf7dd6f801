"""Parquet that a user gives, read in a process of its own: some damaged files end the reader's.

Polars' own code panics on them or asks for memory that there is not, which Python cannot catch.
"""

import io
import subprocess
import sys

import polars as pl

from pav.models.errors import InputError, cut_text

_LIMIT_SECONDS = 600
_READ = """
import io, sys
import polars
table = polars.read_parquet(io.BytesIO(sys.stdin.buffer.read()))
table.write_ipc(sys.stdout.buffer)
"""


def read_parquet(path: str, data: bytes) -> pl.DataFrame:
    """Return the table in a file's bytes; InputError where there is none."""
    try:
        reader = subprocess.run(
            [sys.executable, "-I", "-c", _READ],
            input=data, capture_output=True, timeout=_LIMIT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InputError(f"{path}: reading it took more than {_LIMIT_SECONDS} seconds") from None
    if reader.returncode:
        reason = _reason(reader.stderr.decode(errors="replace"))
        raise InputError(f"{path}: not a Parquet file, or a damaged one: {reason}")
    return pl.read_ipc(io.BytesIO(reader.stdout))


def _reason(printed: str) -> str:
    """Return the line of a traceback that says what is wrong, without the name of the error."""
    found = [line for line in printed.splitlines() if line.startswith(("polars.", "MemoryError"))]
    return cut_text(found[-1].partition(": ")[2]) if found else "its reader gave up"
