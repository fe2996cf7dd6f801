"""Engines and scorers by role, opened once and kept for the next unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pav.models.domains import Domain, domain
from pav.models.policy.number_types import number_type
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.tasks.engine.checkpoints import load_tokenizer
from pav.tasks.engine.decoding_work import DecodingWork
from pav.tasks.engine.driver import Driver
from pav.tasks.engine.roles import PolicyRole, VerifierRole
from pav.tasks.engine.scorer import Scorer
from pav.tasks.engine.tokens import Codec
from pav.tasks.engine.transformers_engine import EngineSampling, TransformersEngine
from pav.tasks.grade.grader import Grader
from pav.tasks.grade.pool import GradingPool


@dataclass
class Engines:
    """Opens a driver over problems; a checkpoint folder is loaded once for all drivers."""

    settings: RunSettings
    device: str
    _engines: dict[tuple[Path, EngineSampling, str], TransformersEngine] = field(
        default_factory=dict
    )
    _scorers: dict[tuple[Path, str], Scorer] = field(default_factory=dict)
    _grader: Grader | None = None

    def driver(
        self,
        work: DecodingWork,
        problems: Mapping[str, Problem],
        *,
        policies: Mapping[str, tuple[str, Path]],
        verifiers: Mapping[str, tuple[Path, int]] | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Driver:
        """Return a driver that decodes as a unit's work says, whatever the settings.

        `policies` maps a role to (policy_id, folder), `verifiers` a role to (folder, head).
        """
        family = domain(work.domain)
        tokenizer = load_tokenizer(next(iter(policies.values()))[1])
        return Driver(
            family,
            problems,
            Codec(tokenizer, family, problems),
            {
                role: PolicyRole(name, self._engine(work, folder))
                for role, (name, folder) in policies.items()
            },
            {
                role: VerifierRole(self._scorer(work, folder), head)
                for role, (folder, head) in (verifiers or {}).items()
            },
            progress,
            grader=self._grader_of(family),
        )

    @property
    def made_with(self) -> dict[str, str]:
        """Decoding settings that are no part of a unit's name, for its manifest."""
        return {"engine.batch_size": str(self.settings.engine.batch_size)}

    def close(self) -> None:
        """Let go of every engine."""
        for engine in self._engines.values():
            engine.close()
        if self._grader is not None:
            self._grader.close()
        self._engines.clear()
        self._scorers.clear()

    def _grader_of(self, family: Domain) -> Grader:
        if self._grader is None:
            self._grader = Grader(family, GradingPool(self.settings.grade))
        return self._grader

    def _dtype(self, work: DecodingWork) -> str:
        return str(number_type(work.dtype, self.device)).removeprefix("torch.")

    def _engine(self, work: DecodingWork, folder: Path) -> TransformersEngine:
        sampling = EngineSampling(
            work.temperature,
            work.top_p,
            self.settings.engine.batch_size,
            self.settings.engine.score_tokens,
            domain(work.domain).delimiter,
        )
        key = (folder, sampling, self._dtype(work))
        if key not in self._engines:
            self._engines[key] = TransformersEngine(
                folder, sampling, device=self.device, dtype=self._dtype(work)
            )
        return self._engines[key]

    def _scorer(self, work: DecodingWork, folder: Path) -> Scorer:
        key = (folder, self._dtype(work))
        if key not in self._scorers:
            tokens = self.settings.engine.score_tokens
            self._scorers[key] = Scorer(
                folder, device=self.device, dtype=self._dtype(work), score_tokens=tokens
            )
        return self._scorers[key]
