"""Rows as an aligned table for people, as wide as their terminal at most."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from rich.cells import cell_len, set_cell_size

MAX_ROWS = 100
_GAP = "  "
# The least width of a cut column; below it the columns on the right are left out instead.
_LEAST = 12
# Characters that move a terminal's cursor, ring its bell or reverse its text.
_CONTROLS = [*range(32), *range(127, 160), 0x061C, *range(0x200E, 0x2010), *range(0x2028, 0x202F),
             *range(0x2066, 0x206A)]  # fmt: skip
_ESCAPES = {code: chr(code).encode("unicode_escape").decode() for code in _CONTROLS}


@dataclass(frozen=True)
class _Column:
    """A column's header and cells as text, and how wide it must and would be."""

    header: str
    cells: Sequence[str]
    is_number: bool

    @property
    def wanted(self) -> int:
        return max(map(cell_len, (self.header, *self.cells)))

    @property
    def least(self) -> int:
        """Return how narrow the column may get; a number is never cut."""
        short = min(self.wanted, _LEAST)
        return max(short, *map(cell_len, self.cells)) if self.is_number and self.cells else short


def as_table(frame: pl.DataFrame, *, width: int | None) -> str:
    """Return an aligned table; numbers with thousands separated, texts on one line, no escapes.

    A table wider than `width` has its cells cut and columns on the right left out, and the foot
    says so.
    """
    shown = [_column(series) for series in frame.head(MAX_ROWS).get_columns()]
    widths = _widths(shown, width)
    aligned = [_aligned(column, size) for column, size in zip(shown, widths, strict=False)]
    lines = [_GAP.join(cells).rstrip() for cells in zip(*aligned, strict=True)]
    return "\n".join([*lines, _foot(frame, len(widths))]) + "\n"


def visible(text: str) -> str:
    r"""Return a text with its control characters written out, such as `\n` and `\x1b`."""
    return text.translate(_ESCAPES)


def _column(series: pl.Series) -> _Column:
    cells = [visible(_cell(value)) for value in series.to_list()]
    return _Column(visible(series.name), cells, series.dtype.is_numeric())


def _cell(value: object) -> str:
    """Return a value as SQL and people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, list | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value) if isinstance(value, str) or not hasattr(value, "__int__") else f"{value:,}"


def _decimal(value: float) -> str:
    """Return four decimals at most, or four digits of what is smaller than these."""
    if 0 < abs(value) < 0.001:
        return f"{value:.4g}"
    return f"{value:,.4f}".rstrip("0").rstrip(".")


def _widths(columns: Sequence[_Column], width: int | None) -> list[int]:
    """Return the widths of the columns that fit, the widest texts cut first."""
    wanted = [column.wanted for column in columns]
    if width is None or _total(wanted) <= width:
        return wanted
    least = [column.least for column in columns]
    while len(least) > 1 and _total(least) > width:
        least.pop()
    for cap in range(max(wanted), 0, -1):
        widths = [max(low, min(high, cap)) for low, high in zip(least, wanted, strict=False)]
        if _total(widths) <= width:
            return widths
    return least


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _aligned(column: _Column, size: int) -> list[str]:
    """Return the cells of a column cut or padded to one width, a rule under the first."""
    fitted = [_fit(text, size, is_right=column.is_number)
              for text in (column.header, *column.cells)]  # fmt: skip
    return [fitted[0], "-" * size, *fitted[1:]]


def _fit(text: str, size: int, *, is_right: bool) -> str:
    spare = size - cell_len(text)
    if spare < 0:
        return set_cell_size(text, size - 1) + "…"
    return " " * spare + text if is_right else text + " " * spare


def _foot(frame: pl.DataFrame, num_columns: int) -> str:
    """Return how many rows there are, and what of them is not shown."""
    rows = f"{frame.height:,} {'row' if frame.height == 1 else 'rows'}"
    hidden = []
    if frame.height > MAX_ROWS:
        hidden.append(f"the first {MAX_ROWS} rows")
    if num_columns < frame.width:
        hidden.append(f"{num_columns} of {frame.width} columns")
    if not hidden:
        return f"({rows})"
    return f"({rows}; {' and '.join(hidden)} shown; --format csv, json, jsonl or parquet gives all)"
