"""What to sample of one problem: whole solutions, and rollouts of every open prefix."""

from collections.abc import Sequence

from pav.models.records import Algorithm, Extend, Grade, Grading, Prefix, Sample

Graded = tuple[Sample, Grading]


def full_response(prefix: Prefix, sample: Sample) -> Prefix:
    """Return the response that a continuation completes; finished unless it was cut off."""
    return Prefix(prefix.problem_id, prefix.steps + sample.steps, sample.finish == "stop")


def exhaustive(
    prefixes: Sequence[Prefix],
    *,
    policy: str,
    num_rollouts: int,
    block: int,
    seed: int,
    max_tokens: int,
) -> Algorithm[list[list[Graded]]]:
    """Roll out every open prefix of one problem; return each prefix's graded rollouts.

    A finished prefix is terminal: its value is its verdict, so it gets an empty list.
    """
    still_open = tuple(prefix for prefix in prefixes if not prefix.is_finished)
    if not still_open:
        return [[] for _ in prefixes]
    request = Extend(policy, still_open, num_rollouts, "end", max_tokens, "label", seed, block)
    graded = dict(zip(still_open, (yield from _graded(request)), strict=True))
    return [graded.get(prefix, []) for prefix in prefixes]


def sample_solutions(
    root: Prefix, *, policy: str, num_samples: int, seed: int, max_tokens: int
) -> Algorithm[list[Graded]]:
    """Sample and grade whole solutions of one problem."""
    request = Extend(policy, (root,), num_samples, "end", max_tokens, "sample", seed)
    [solutions] = yield from _graded(request)
    return solutions


def _graded(request: Extend) -> Algorithm[list[list[Graded]]]:
    """Sample what is asked for and grade all of it; return the pairs of each prefix."""
    replies: Sequence[Sequence[Sample]] = yield request
    responses = [
        full_response(prefix, sample)
        for prefix, samples in zip(request.prefixes, replies, strict=True)
        for sample in samples
    ]
    gradings = iter((yield Grade(tuple(responses))))
    return [[(sample, next(gradings)) for sample in samples] for samples in replies]
