"""Beam search over steps by Q + alpha A^mu; the answer is picked among all that ever finish.

Candidates of different parents compete by the score of their current step alone. Equal candidates
are merged: a second copy would draw the very same continuations. A finished beam keeps its score
and its place in the competition, so only better beams displace it. The final pick sees every
finished candidate, even one that was displaced or never won a place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pav.models.planners.rollouts import full_response
from pav.models.records import Algorithm, Extend, Grade, Prefix, Sample, Score
from pav.models.search.arms import Arm, SearchOptions, alpha_of, final_picks, prover
from pav.models.search.results import Sampling, SearchCost, SearchResult
from pav.models.search.rewards import (
    BASE_VERIFIER,
    Finished,
    Prover,
    Rule,
    Scores,
    effective_reward,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prefix in the competition; tokens and log-probability are those of its steps so far."""

    prefix: Prefix
    num_tokens: int = 0
    log_prob: float = 0.0
    score: float = 0.0
    q: Scores = ()


def beam(
    root: Prefix, *, arm: Arm, sampling: Sampling, options: SearchOptions
) -> Algorithm[SearchResult]:
    """Search with `arm.num_samples` candidates per step, shared evenly by the open beams."""
    kept = options.beam_width or max(arm.num_samples // 4, 1)
    return (
        yield from _beam(
            root,
            sampling=sampling,
            guide=_Guide.of(arm, options),
            width=kept,
            samples_each=lambda _step, num_open: max(arm.num_samples // num_open, 1),
        )
    )


def beam_paper(
    root: Prefix, *, arm: Arm, sampling: Sampling, options: SearchOptions, num_each: int = 3
) -> Algorithm[SearchResult]:
    """Search as the paper counts: keep `arm.num_samples` beams, sample `num_each` steps of each.

    The paper does not say how the first step fills the beam: width * num_each are sampled.
    """
    width = arm.num_samples
    return (
        yield from _beam(
            root,
            sampling=sampling,
            guide=_Guide.of(arm, options),
            width=width,
            samples_each=lambda step, _open: num_each if step else width * num_each,
        )
    )


@dataclass(frozen=True, slots=True)
class _Guide:
    """An arm as the beam's steps read it."""

    prover: Prover
    alpha: float
    picks: Mapping[str, Rule]
    max_steps: int

    @classmethod
    def of(cls, arm: Arm, options: SearchOptions) -> "_Guide":
        measured, picks = prover(arm.prover, options), final_picks(options)
        return cls(measured, alpha_of(arm), picks, options.max_steps)


def _beam(
    root: Prefix,
    *,
    sampling: Sampling,
    guide: _Guide,
    width: int,
    samples_each: Callable[[int, int], int],
) -> Algorithm[SearchResult]:
    cost = SearchCost()
    beams, ended = [Candidate(root)], list[Candidate]()
    # A step has a token at least.
    for step in range(guide.max_steps or sampling.max_tokens):
        still_open = _open(beams)
        if not still_open:
            break
        count = samples_each(step, len(still_open))
        drawn = yield from _extended(still_open, count, sampling=sampling, cost=cost)
        scored = yield from _scored(drawn, guide=guide, cost=cost)
        ended += [each for each in scored if each.prefix.is_finished]
        finished = [each for each in beams if each.prefix.is_finished]
        beams = sorted(finished + scored, key=lambda each: -each.score)[:width]
    ended.sort(key=lambda each: -each.score)
    return (yield from _concluded(ended, guide=guide, cost=cost, num_cut_off=len(_open(beams))))


def _open(beams: Sequence[Candidate]) -> list[Candidate]:
    return [each for each in beams if not each.prefix.is_finished]


def _extended(
    beams: Sequence[Candidate], count: int, *, sampling: Sampling, cost: SearchCost
) -> Algorithm[list[Candidate]]:
    """Sample `count` next steps of each beam; return the distinct ones that may still answer."""
    prefixes = tuple(each.prefix for each in beams)
    replies: Sequence[Sequence[Sample]] = yield Extend(
        sampling.policy,
        prefixes,
        count,
        "step",
        sampling.max_tokens,
        sampling.purpose,
        sampling.seed,
    )
    cost.add_candidates([sample.num_tokens for samples in replies for sample in samples])
    drawn: dict[Prefix, Candidate] = {}
    for each, samples in zip(beams, replies, strict=True):
        for sample in samples:
            prefix = full_response(each.prefix, sample)
            num_tokens = each.num_tokens + sample.num_tokens
            # A response that was cut off, or has no token left for another step, can never be an
            # answer.
            room = sampling.max_tokens + 1 if prefix.is_finished else sampling.max_tokens
            if sample.finish != "length" and num_tokens < room:
                log_prob = each.log_prob + sample.log_prob
                drawn.setdefault(prefix, Candidate(prefix, num_tokens, log_prob))
    return list(drawn.values())


def _scored(
    candidates: Sequence[Candidate], *, guide: _Guide, cost: SearchCost
) -> Algorithm[list[Candidate]]:
    """Return the candidates with Q and the effective reward of their last step."""
    q = yield from _scores(BASE_VERIFIER, candidates, cost)
    mu = q
    if guide.prover.verifier != BASE_VERIFIER:
        mu = yield from _scores(guide.prover.verifier, candidates, cost)
    return [
        Candidate(
            each.prefix,
            each.num_tokens,
            each.log_prob,
            effective_reward(own, provers, prover=guide.prover, alpha=guide.alpha),
            own,
        )
        for each, own, provers in zip(candidates, q, mu, strict=True)
    ]


def _scores(
    verifier: str, candidates: Sequence[Candidate], cost: SearchCost
) -> Algorithm[Sequence[Scores]]:
    if not candidates:
        return ()
    cost.add_scored(verifier, [each.num_tokens for each in candidates])
    replies: Sequence[Scores] = yield Score(verifier, tuple(each.prefix for each in candidates))
    return replies


def _concluded(
    ended: Sequence[Candidate], *, guide: _Guide, cost: SearchCost, num_cut_off: int
) -> Algorithm[SearchResult]:
    """Grade the finished responses and let each final pick take one."""
    if not ended:
        return SearchResult((), (), {}, cost, num_cut_off)
    scores: dict[str, Sequence[Scores]] = {BASE_VERIFIER: [each.q for each in ended]}
    for verifier in sorted({role for rule in guide.picks.values() for role in rule.verifiers}):
        if verifier not in scores:
            scores[verifier] = yield from _scores(verifier, ended, cost)
    responses = tuple(each.prefix for each in ended)
    gradings = yield Grade(responses)
    rows = [
        Finished({role: scores[role][row] for role in scores}, each.log_prob, each.num_tokens + 1)
        for row, each in enumerate(ended)
    ]
    picks = {name: rule.pick(rows) for name, rule in guide.picks.items()}
    return SearchResult(responses, tuple(gradings), picks, cost, num_cut_off)
