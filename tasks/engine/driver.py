"""The one driver: advances many algorithms together and keeps the engines' batches full."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pav.models.domains import Domain, check_stepwise
from pav.models.errors import InputError
from pav.models.hashing import stream_key
from pav.models.labels.budget import total_cost
from pav.models.records import (
    Algorithm,
    Extend,
    Generated,
    Generation,
    Grade,
    LogProb,
    Prefix,
    Problem,
    Request,
    Sample,
    Score,
)
from pav.models.settings import GradeSettings
from pav.tasks.engine.roles import PolicyRole, VerifierRole
from pav.tasks.engine.scores import Scores, role_named
from pav.tasks.engine.tokens import Codec
from pav.tasks.grade.grader import Grader
from pav.tasks.grade.pool import GradingPool


@dataclass
class _Extension:
    """An Extend that is being answered: samples land in `replies[prefix][sample]`."""

    algorithm: int
    prefixes: tuple[Prefix, ...]
    replies: list[list[Sample | None]]
    missing: int


@dataclass
class Driver:
    """Runs algorithms over one set of problems; `costs[i]` counts what algorithm i used.

    `seconds` has what all of them together took in engines, in the grader and in verifiers.
    `grader` judges all responses that wait for it together; by default the domain does so alone,
    with processes of the default settings where it is in doubt.
    """

    domain: Domain
    problems: Mapping[str, Problem]
    codec: Codec
    policies: Mapping[str, PolicyRole] = field(default_factory=dict)
    verifiers: Mapping[str, VerifierRole] = field(default_factory=dict)
    progress: Callable[[int, int], None] = lambda done, total: None
    costs: list[Counter[str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    grader: Grader | None = None

    def __post_init__(self) -> None:
        self._grader = self.grader or Grader(self.domain, GradingPool(GradeSettings()))

    def run(self, algorithms: Sequence[Algorithm[Any]]) -> list[Any]:
        """Return the results of all algorithms, in their order."""
        self.costs = [Counter() for _ in algorithms]
        self.seconds = {"engine_seconds": 0.0, "grading_seconds": 0.0}
        self._algorithms = list(algorithms)
        self._results: list[Any] = [None] * len(algorithms)
        self._ready: deque[tuple[int, Any]] = deque((i, None) for i in range(len(algorithms)))
        self._scores_wanted: list[tuple[int, Score]] = []
        self._log_probs_wanted: list[tuple[int, LogProb]] = []
        self._grades_wanted: list[tuple[int, Grade]] = []
        self._scores = Scores(self.codec, self.verifiers, self.costs, self._timed)
        self._extensions: dict[int, tuple[_Extension, int, int]] = {}
        self._next_request = 0
        self._unfinished = len(algorithms)
        while self._unfinished:
            self._resume_ready()
            self._work()
        return self._results

    @property
    def spent(self) -> dict[str, float]:
        """The cost items of the last run, over all its algorithms."""
        return total_cost([{"prompt_tokens": 0, "generated_tokens": 0}, *self.costs, self.seconds])

    @contextmanager
    def _timed(self, item: str) -> Iterator[None]:
        """Add to `seconds` what the block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[item] = self.seconds.get(item, 0.0) + spent

    def _resume_ready(self) -> None:
        """Resume every algorithm that has its reply, grading for all of them together."""
        while self._ready or self._grades_wanted:
            while self._ready:
                self._resume(*self._ready.popleft())
            if self._grades_wanted:
                self._answer_grades()

    def _resume(self, index: int, reply: Any) -> None:
        try:
            request = self._algorithms[index].send(reply)
        except StopIteration as stop:
            self._finish(index, stop.value)
        else:
            self._take(index, request)

    def _finish(self, index: int, result: Any) -> None:
        self._results[index] = result
        self._unfinished -= 1
        self.progress(len(self._algorithms) - self._unfinished, len(self._algorithms))

    def _take(self, index: int, request: Request) -> None:
        """Queue a request with those of its kind: each kind wants a batch."""
        if isinstance(request, Grade):
            self._grades_wanted.append((index, request))
        elif isinstance(request, Score):
            self._scores_wanted.append((index, request))
        elif isinstance(request, Extend):
            self._extend(index, request)
        elif isinstance(request, LogProb):
            self._log_probs_wanted.append((index, request))
        else:
            raise InputError(f"request: expected Extend, Score, Grade or LogProb, got {request!r}")

    def _work(self) -> None:
        """Decode one token where anything is in flight; else answer the scores."""
        for role in self.policies.values():
            with self._timed("engine_seconds"):
                finished = role.engine.poll()
            for generated in finished:
                self._collect(generated)
        if not self._ready and not self._extensions:
            if self._scores_wanted:
                self._answer_scores()
            if self._log_probs_wanted:
                self._answer_log_probs()

    def _answer_grades(self) -> None:
        """Answer all waiting Grade requests with one call of the grader."""
        wanted, self._grades_wanted = self._grades_wanted, []
        responses = [
            (self.problems[response.problem_id], response)
            for _, request in wanted
            for response in request.responses
        ]
        with self._timed("grading_seconds"):
            gradings = iter(self._grader.grade(responses))
        for index, request in wanted:
            self._ready.append((index, tuple(islice(gradings, len(request.responses)))))

    def _extend(self, index: int, request: Extend) -> None:
        if not request.prefixes or not request.num_samples:
            self._ready.append((index, tuple(() for _ in request.prefixes)))
            return
        if request.until == "step":
            check_stepwise(self.domain)
        role = role_named(self.policies, request.policy, "policy")
        size = request.num_samples
        replies: list[list[Sample | None]] = [[None] * size for _ in request.prefixes]
        extension = _Extension(index, request.prefixes, replies, size * len(request.prefixes))
        generations = self._generations(extension, request, role.policy_id)
        with self._timed("engine_seconds"):
            role.engine.submit(generations)

    def _generations(
        self, extension: _Extension, request: Extend, policy_id: str
    ) -> list[Generation]:
        generations = []
        seen: Counter[tuple[Prefix, int]] = Counter()
        blocks = request.blocks or (0,) * len(request.prefixes)
        for row, (prefix, block) in enumerate(zip(request.prefixes, blocks, strict=True)):
            # A prefix named twice gets other samples the second time: never shared ones.
            stream = stream_key(
                policy_id, prefix.problem_id, prefix.text, request.purpose, request.seed, block,
                seen[prefix, block],
            )  # fmt: skip
            seen[prefix, block] += 1
            ids = self.codec.encode(prefix)
            left = request.max_tokens - (len(ids) - self.codec.num_prompt_tokens(prefix))
            if left <= 0:
                extension.replies[row] = [Sample((), "length", 0)] * request.num_samples
                extension.missing -= request.num_samples
                continue
            self.costs[extension.algorithm]["prompt_tokens"] += len(ids)
            self._extensions[self._next_request] = (extension, row, request.num_samples)
            generations.append(
                Generation(
                    self._next_request, ids, request.num_samples, left, stream,
                    request.until == "step",
                )
            )  # fmt: skip
            self._next_request += 1
        if not extension.missing:
            self._ready.append((extension.algorithm, tuple(map(tuple, extension.replies))))
        return generations

    def _collect(self, generated: Generated) -> None:
        """File a finished sample; resume its algorithm once its request is whole."""
        extension, row, left = self._extensions[generated.request_id]
        extension.replies[row][generated.sample] = self.codec.sample(
            generated, extension.prefixes[row].steps
        )
        extension.missing -= 1
        self.costs[extension.algorithm]["generated_tokens"] += len(generated.token_ids)
        if left == 1:
            del self._extensions[generated.request_id]
        else:
            self._extensions[generated.request_id] = (extension, row, left - 1)
        if not extension.missing:
            self._ready.append((extension.algorithm, tuple(map(tuple, extension.replies))))

    def _answer_scores(self) -> None:
        """Answer all waiting Score requests together."""
        wanted, self._scores_wanted = self._scores_wanted, []
        self._ready.extend(self._scores.answer(wanted))

    def _answer_log_probs(self) -> None:
        """Answer all waiting LogProb requests, those of a policy in one call of its engine."""
        wanted, self._log_probs_wanted = self._log_probs_wanted, []
        by_policy: dict[str, list[tuple[int, LogProb]]] = {}
        for index, request in wanted:
            by_policy.setdefault(request.policy, []).append((index, request))
        for policy, requests in by_policy.items():
            role = role_named(self.policies, policy, "policy")
            sequences = [known for each in requests for known in self._known(*each)]
            with self._timed("engine_seconds"):
                values = iter(role.engine.log_probs(sequences))
            for index, request in requests:
                self._ready.append((index, tuple(islice(values, len(request.prefixes)))))

    def _known(self, index: int, request: LogProb) -> list[tuple[tuple[int, ...], int]]:
        """Return each continuation's whole sequence and where the continuation begins in it."""
        sequences = []
        for prefix, text in zip(request.prefixes, request.continuations, strict=True):
            whole = self.codec.encode(replace(prefix, steps=(*prefix.steps, text)))
            self.costs[index]["prompt_tokens"] += len(whole)
            sequences.append((whole, len(self.codec.encode(prefix))))
        return sequences
