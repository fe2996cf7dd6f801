"""Best-of-N: sample whole solutions, keep the one that a verifier likes most."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pav.models.planners.rollouts import full_response
from pav.models.records import Algorithm, Extend, Grade, Grading, Prefix, Sample, Score
from pav.models.search.results import Sampling, SearchCost, SearchResult
from pav.models.search.rewards import Finished, Rule, Scores


@dataclass(frozen=True, slots=True)
class Drawn:
    """Solutions of one problem in the order they were sampled, graded."""

    samples: tuple[Sample, ...]
    responses: tuple[Prefix, ...]
    gradings: tuple[Grading, ...]

    @property
    def distinct(self) -> tuple[Prefix, ...]:
        """The different finished responses; one that was cut off is no answer."""
        return tuple(dict.fromkeys(each for each in self.responses if each.is_finished))


# What a response answers, the same text for equal answers (`Domain.answer_key`).
AnswerKey = Callable[[Prefix], str | None]


def best_of_n(
    root: Prefix,
    *,
    sampling: Sampling,
    num_samples: Sequence[int],
    rules: Mapping[str, Rule],
    answer_key: AnswerKey,
) -> Algorithm[dict[int, SearchResult]]:
    """Sample max(num_samples) solutions once; return, by N, what each rule picks of the first N."""
    drawn = yield from draw(root, sampling=sampling, num_samples=max(num_samples))
    scores: dict[str, dict[Prefix, Scores]] = {}
    for verifier in sorted({role for rule in rules.values() for role in rule.verifiers}):
        scores[verifier] = yield from score(drawn, verifier)
    answers = {each: answer_key(each) for each in drawn.distinct}
    return {
        count: choose(drawn, scores, answers=answers, rules=rules, num_samples=count)
        for count in num_samples
    }


def draw(root: Prefix, *, sampling: Sampling, num_samples: int) -> Algorithm[Drawn]:
    """Sample and grade solutions of one problem."""
    policy, seed, limit = sampling.policy, sampling.seed, sampling.max_tokens
    [samples] = yield Extend(policy, (root,), num_samples, "end", limit, sampling.purpose, seed)
    responses = tuple(full_response(root, sample) for sample in samples)
    gradings = yield Grade(responses)
    return Drawn(tuple(samples), responses, tuple(gradings))


def score(drawn: Drawn, verifier: str) -> Algorithm[dict[Prefix, Scores]]:
    """Score each distinct solution by one verifier."""
    if not drawn.distinct:
        return {}
    replies: Sequence[Scores] = yield Score(verifier, drawn.distinct)
    return dict(zip(drawn.distinct, replies, strict=True))


def choose(
    drawn: Drawn,
    scores: Mapping[str, Mapping[Prefix, Scores]],
    *,
    answers: Mapping[Prefix, str | None],
    rules: Mapping[str, Rule],
    num_samples: int,
) -> SearchResult:
    """Return what each rule picks of the first `num_samples` solutions, and what those cost.

    `scores` by verifier, and `answers` where a rule counts votes, are those of each response.
    """
    samples = drawn.samples[:num_samples]
    graded = zip(samples, drawn.responses, drawn.gradings, strict=False)
    finished = [row for row in graded if row[1].is_finished]
    tokens = {response: sample.num_tokens for sample, response, _ in finished}
    cost = SearchCost()
    cost.add_candidates([sample.num_tokens for sample in samples])
    for verifier in {role for rule in rules.values() for role in rule.verifiers}:
        cost.add_scored(verifier, tokens.values())
    responses = tuple(response for _, response, _ in finished)
    by_response = {each: {role: scores[role][each] for role in scores} for each in tokens}
    rows = [
        Finished(
            by_response[response], sample.log_prob, sample.num_tokens + 1, answers.get(response)
        )
        for sample, response, _ in finished
    ]
    picks = {name: rule.pick(rows) for name, rule in rules.items() if rows}
    return SearchResult(responses, tuple(grading for _, _, grading in finished), picks, cost)


# Ranks every solution alike, so that the first one is the answer.
FIRST = Rule("first")
