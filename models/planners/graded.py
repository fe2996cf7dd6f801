"""Responses made elsewhere, graded as those of a policy are."""

from collections.abc import Sequence

from pav.models.planners.rollouts import Graded, full_response
from pav.models.records import Algorithm, Grade, Prefix, Sample


def graded_responses(root: Prefix, samples: Sequence[Sample]) -> Algorithm[list[Graded]]:
    """Grade whole responses to one problem; return each with its verdict."""
    gradings = yield Grade(tuple(full_response(root, sample) for sample in samples))
    return list(zip(samples, gradings, strict=True))
