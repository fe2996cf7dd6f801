"""`pav grade FILE`: verdicts on responses that were made elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from pav.models.agreement import agreement, disagreements
from pav.models.domains import DOMAINS, domain_of, kind_of
from pav.models.domains.kind import Audit
from pav.models.errors import InputError, shown
from pav.models.records import Grading
from pav.models.settings import RunSettings
from pav.tasks.grade.files import GradeRow, graded_lines, read_rows
from pav.tasks.grade.grader import Grader
from pav.tasks.grade.pool import GradingPool


@dataclass(frozen=True)
class Graded:
    """The rows with their verdicts, as JSON lines, and what to tell a person about them."""

    lines: Sequence[str]
    summary: str


def check_domain(name: str) -> None:
    """Raise InputError where no domain has this name."""
    if name not in DOMAINS:
        raise InputError(f"--domain: expected one of {', '.join(DOMAINS)}, got {shown(name)}")


def grade(path: str, settings: RunSettings, *, is_audited: bool) -> Graded:
    """Return the graded rows of a file, and how they agree with what is expected of them."""
    audit = _known_audit(settings) if is_audited else None
    family = domain_of(settings)
    rows = read_rows(path, family)
    grader = Grader(family, GradingPool(settings.grade))
    try:
        gradings = grader.grade([(row.problem, row.response) for row in rows])
    finally:
        grader.close()
    parts = [_agreement(rows, gradings), _audited(rows, gradings, audit) if audit else ""]
    return Graded(graded_lines(rows, gradings), "\n".join(filter(None, parts)))


def _agreement(rows: Sequence[GradeRow], gradings: Sequence[Grading]) -> str:
    pairs = zip((row.expected for row in rows), gradings, strict=True)
    found = agreement((expected, grading.verdict) for expected, grading in pairs)
    return found.as_text() if found.num_rows else ""


def _known_audit(settings: RunSettings) -> Audit:
    if audit := kind_of(settings.problems.domain).audit:
        return audit
    raise InputError(
        "--audit: expected a --domain with a second grader, such as math, got "
        f"{settings.problems.domain}"
    )


def _audited(rows: Sequence[GradeRow], gradings: Sequence[Grading], audit: Audit) -> str:
    """Return the rows on which the second grader disagrees, one a line, below a count."""
    audited = [audit(row.problem.answer, row.response.text) for row in rows]
    indices = disagreements([each.verdict for each in gradings], audited)
    num_told = sum(each is not None for each in audited)
    head = f"audit: the second grader can tell of {num_told:,} of {len(rows):,} rows, and "
    lines = [_disagreement(rows[index], gradings[index], audited[index]) for index in indices]
    return "\n".join([f"{head}disagrees on {len(indices):,}", *lines])


def _disagreement(row: GradeRow, grading: Grading, says_right: bool | None) -> str:
    end = row.response.text.rstrip()[-60:]
    says = "right" if says_right else "wrong"
    gold = row.problem.answer[-40:]
    return f"  line {row.line}: {grading.verdict}, audit says {says}; answer {gold!r}, ends {end!r}"
