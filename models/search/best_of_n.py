"""Best-of-N: sample whole solutions, keep the one that a verifier likes most."""

from collections.abc import Mapping, Sequence

from pav.models.planners import full_response
from pav.models.records import Algorithm, Extend, Grade, Grading, Prefix, Sample, Score
from pav.models.search.results import Ledger, Sampling, SearchResult
from pav.models.search.rewards import Rule, Scores, best


def best_of_n(
    root: Prefix, *, sampling: Sampling, num_samples: Sequence[int], rules: Mapping[str, Rule]
) -> Algorithm[dict[int, SearchResult]]:
    """Sample max(num_samples) solutions once; return, by N, what each rule picks of the first N."""
    policy, seed, limit = sampling.policy, sampling.seed, sampling.max_tokens
    request = Extend(policy, (root,), max(num_samples), "end", limit, sampling.purpose, seed)
    [samples] = yield request
    responses = [full_response(root, sample) for sample in samples]
    gradings: Sequence[Grading] = yield Grade(tuple(responses))
    distinct = tuple(dict.fromkeys(response for response in responses if response.is_finished))
    scores: dict[Prefix, dict[str, Scores]] = {response: {} for response in distinct}
    for verifier in sorted({role for rule in rules.values() for role in rule.verifiers}):
        replies = (yield Score(verifier, distinct)) if distinct else ()
        for response, reply in zip(distinct, replies, strict=True):
            scores[response][verifier] = reply
    graded = list(zip(samples, responses, gradings, strict=True))
    return {count: _concluded(graded[:count], scores, rules) for count in num_samples}


def single(root: Prefix, *, sampling: Sampling) -> Algorithm[SearchResult]:
    """Sample one solution and answer with it."""
    results = yield from best_of_n(root, sampling=sampling, num_samples=(1,), rules={})
    [result] = results.values()
    return SearchResult(
        result.responses, result.gradings, {"single": 0} if result.responses else {}, result.cost
    )


def _concluded(
    graded: Sequence[tuple[Sample, Prefix, Grading]],
    scores: Mapping[Prefix, Mapping[str, Scores]],
    rules: Mapping[str, Rule],
) -> SearchResult:
    """Return what each rule picks; solutions that were cut off are no answers but cost tokens."""
    cost = Ledger()
    cost.add_candidates([sample.num_tokens for sample, _, _ in graded])
    finished = [row for row in graded if row[1].is_finished]
    tokens = {response: sample.num_tokens for sample, response, _ in finished}
    for verifier in {role for rule in rules.values() for role in rule.verifiers}:
        cost.add_scored(verifier, tokens.values())
    responses = tuple(response for _, response, _ in finished)
    picks = {
        name: best([rule.rank(scores[response]) for response in responses])
        for name, rule in rules.items()
        if responses
    }
    return SearchResult(responses, tuple(grading for _, _, grading in finished), picks, cost)
