"""Problems from a user's JSONL, CSV or Parquet file; every bad row is named, none skipped."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pav.models.domains import Domain
from pav.models.errors import InputError
from pav.models.records import LABELLING_SOURCES, OTHER_SOURCES, Problem
from pav.models.splits import SPLITS, hash_split
from pav.tasks.row_files import Row, decoded, jsonl_rows, refuse_bad_rows

DEFAULT_SOURCE = "human"
REQUIRED = ("question", "answer")
SUFFIXES = (".jsonl", ".csv", ".parquet")


@dataclass(frozen=True)
class ProblemFile:
    """The distinct problems of a file, and the lines that repeat an earlier one of them."""

    problems: tuple[Problem, ...]
    repeated_lines: tuple[int, ...]


def file_bytes(path: str) -> bytes:
    """Return a problem file's bytes; InputError where it is missing or of another kind."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise InputError(f"problems.path: expected a file ending in {SUFFIXES}, got {path!r}")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"problems.path: cannot read {path!r}: {reason}") from None


def parse_problems(path: str, data: bytes, *, family: Domain) -> ProblemFile:
    """Return the problems in a file's bytes; one InputError lists all bad rows."""
    reader = _Reader(path, family)
    rows = list(_READERS[Path(path).suffix.lower()](path, data))
    if not rows:
        raise InputError(f"{path}: the problem set is empty; expected rows with {REQUIRED}")
    for row in rows:
        reader.add(row)
    return reader.finish()


class _Reader:
    """Collects rows; what one row alone cannot tell is checked against the earlier ones."""

    def __init__(self, path: str, family: Domain) -> None:
        self._path = path
        self._family = family
        self._errors: list[tuple[int, str]] = []
        self._repeated: list[int] = []
        self._problems: dict[str, Problem] = {}
        self._key_of_id: dict[str, tuple[str, int]] = {}
        self._line_of_key: dict[str, int] = {}
        self._split_of_key: dict[str, tuple[str, int]] = {}

    def add(self, row: Row) -> None:
        """Take one row in, or note what is wrong with it."""
        try:
            problem = self._problem(row)
            self._check_problem_id(problem, row.line)
            self._check_split(problem, row.line)
            self._check_answer(problem, row.line)
        except InputError as error:
            self._errors.append((row.line, str(error)))
            return
        if problem.canonical_key in self._problems:
            self._repeated.append(row.line)
        self._problems.setdefault(problem.canonical_key, problem)

    def finish(self) -> ProblemFile:
        """Return the problems, each with its split, or raise what was wrong."""
        refuse_bad_rows(self._path, self._errors)
        problems = tuple(replace(p, split=self._split(p)) for p in self._problems.values())
        return ProblemFile(problems, tuple(self._repeated))

    def _split(self, problem: Problem) -> str:
        """A split that any row of the problem names, else the hash's."""
        key = problem.canonical_key
        return self._split_of_key[key][0] if key in self._split_of_key else hash_split(key)

    def _problem(self, row: Row) -> Problem:
        if row.error:
            raise InputError(row.error)
        fields = {name: _text(name, row.fields.get(name)) for name in _COLUMNS}
        for name in REQUIRED:
            if not fields[name]:
                raise InputError(f"{name}: expected a value, got none")
        if fields["split"] not in (*SPLITS, ""):
            raise InputError(f"split: expected one of {SPLITS} or none, got {fields['split']!r}")
        problem = self._family.problem(
            fields["question"],
            fields["answer"],
            problem_id=fields["problem_id"],
            split=fields["split"],
        )
        source = _checked_source(fields["answer_source"])
        return replace(problem, answer_source=source, source=Path(self._path).name)

    def _check_problem_id(self, problem: Problem, line: int) -> None:
        key = problem.canonical_key
        known_key, known_line = self._key_of_id.setdefault(problem.problem_id, (key, line))
        if known_key != key:
            raise InputError(
                f"problem_id: {problem.problem_id!r} is already that of another problem on "
                f"line {known_line}"
            )

    def _check_answer(self, problem: Problem, line: int) -> None:
        known_line = self._line_of_key.setdefault(problem.canonical_key, line)
        known = self._problems.get(problem.canonical_key, problem)
        if self._family.contradicts(known, problem):
            raise InputError(
                f"answer: the same question has the answer {known.answer[-40:]!r} on line "
                f"{known_line}, got {problem.answer[-40:]!r}"
            )

    def _check_split(self, problem: Problem, line: int) -> None:
        if not problem.split:
            return
        key = problem.canonical_key
        known_split, known_line = self._split_of_key.setdefault(key, (problem.split, line))
        if known_split != problem.split:
            raise InputError(
                f"split: the same problem ({key}) is in {known_split!r} on line {known_line} and "
                f"in {problem.split!r} here; keep it in one"
            )


_COLUMNS = ("question", "answer", "problem_id", "split", "answer_source")


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"{name}: expected text or a whole number, got {value!r}")
    return str(value).strip()


def _checked_source(source: str) -> str:
    if source in OTHER_SOURCES:
        raise InputError(
            f"answer_source: only answers by {LABELLING_SOURCES} may label, got {source!r}"
        )
    if source not in (*LABELLING_SOURCES, ""):
        known = (*LABELLING_SOURCES, *OTHER_SOURCES)
        raise InputError(f"answer_source: expected one of {known} or none, got {source!r}")
    return source or DEFAULT_SOURCE


def _check_columns(path: str, names: list[str]) -> None:
    if missing := [name for name in REQUIRED if name not in names]:
        raise InputError(f"{path}: expected columns {list(REQUIRED)}, {missing} not in {names}")


def _csv_rows(path: str, data: bytes) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(decoded(path, data), newline=""), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if names:
            _check_columns(path, names)
        for values in reader:
            if len(values) == len(names):
                yield Row(reader.line_num, dict(zip(names, values, strict=True)))
            elif values:
                yield Row(
                    reader.line_num,
                    error=f"expected {len(names)} fields, got {len(values)}; quote commas",
                )
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num} is not CSV: {error}") from None


def _parquet_rows(path: str, data: bytes) -> Iterator[Row]:
    try:
        table = pl.read_parquet(io.BytesIO(data))
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: not a Parquet file: {error}") from None
    _check_columns(path, table.columns)
    known = table.select(name for name in _COLUMNS if name in table.columns)
    for line, fields in enumerate(known.iter_rows(named=True), start=1):
        yield Row(line, fields)


_READERS = {".jsonl": jsonl_rows, ".csv": _csv_rows, ".parquet": _parquet_rows}
