"""Whole solutions and blocks of rollouts of one problem, sampled and graded."""

from collections.abc import Sequence

from pav.models.records import Algorithm, Extend, Grade, Grading, Prefix, Sample

Graded = tuple[Sample, Grading]


def full_response(prefix: Prefix, sample: Sample) -> Prefix:
    """Return the response that a continuation completes; finished unless it was cut off."""
    return Prefix(prefix.problem_id, prefix.steps + sample.steps, sample.finish == "stop")


def sample_solutions(
    root: Prefix, *, policy: str, num_samples: int, seed: int, max_tokens: int
) -> Algorithm[list[Graded]]:
    """Sample and grade whole solutions of one problem."""
    request = Extend(policy, (root,), num_samples, "end", max_tokens, "sample", seed)
    [solutions] = yield from rolled_out(request)
    return solutions


def rolled_out(request: Extend) -> Algorithm[list[list[Graded]]]:
    """Sample what is asked for and grade all of it; return the pairs of each prefix."""
    replies: Sequence[Sequence[Sample]] = yield request
    responses = [
        full_response(prefix, sample)
        for prefix, samples in zip(request.prefixes, replies, strict=True)
        for sample in samples
    ]
    gradings = iter((yield Grade(tuple(responses))))
    return [[(sample, next(gradings)) for sample in samples] for samples in replies]
