"""What `math` is made of, and its second grader."""

from collections.abc import Mapping
from typing import Any

from pav.models.domains.kind import DomainKind
from pav.models.domains.math.audit import audit_same
from pav.models.domains.math.domain import Math
from pav.models.settings import RunSettings

# Raised when other answers are read out of the same responses: units are named by it.
READING = 2
OPTIONS = ("prompt", "segmenter", "step_words", "answer_mark", "answer_pattern")


def _options(settings: RunSettings) -> Mapping[str, Any]:
    return settings.problems.model_dump(mode="json", include=set(OPTIONS)) | {"reading": READING}


def _make(*, reading: int = READING, **options: Any) -> Math:
    """Return the domain; `reading` tells units apart, and is nothing that can be chosen."""
    return Math(**options)


MATH = DomainKind(make=_make, options=_options, audit=audit_same)
