"""Who plays which role: engines and scorers, opened once and kept for the next unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pav.models.domains import Domain, domain_of
from pav.models.policy.number_types import number_type
from pav.models.records import Problem
from pav.models.settings import RunSettings
from pav.tasks.engine.checkpoints import load_tokenizer
from pav.tasks.engine.driver import Driver, PolicyRole, VerifierRole
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
    _engines: dict[Path, TransformersEngine] = field(default_factory=dict)
    _scorers: dict[Path, Scorer] = field(default_factory=dict)
    _grader: Grader | None = None

    def driver(
        self,
        problems: Mapping[str, Problem],
        *,
        policies: Mapping[str, tuple[str, Path]],
        verifiers: Mapping[str, tuple[Path, int]] | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Driver:
        """Return a driver.

        `policies` maps a role to (policy_id, folder), `verifiers` a role to (folder, head).
        """
        family = domain_of(self.settings.problems)
        tokenizer = load_tokenizer(next(iter(policies.values()))[1])
        return Driver(
            family,
            problems,
            Codec(tokenizer, family, problems),
            {
                role: PolicyRole(name, self._engine(folder))
                for role, (name, folder) in policies.items()
            },
            {
                role: VerifierRole(self._scorer(folder), head)
                for role, (folder, head) in (verifiers or {}).items()
            },
            progress,
            grader=self._grader_of(family),
        )

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

    @property
    def _dtype(self) -> str:
        chosen = number_type(self.settings.engine.dtype, self.device)
        return str(chosen).removeprefix("torch.")

    def _engine(self, folder: Path) -> TransformersEngine:
        if folder not in self._engines:
            sample, engine = self.settings.sample, self.settings.engine
            sampling = EngineSampling(
                sample.temperature,
                sample.top_p,
                engine.batch_size,
                engine.score_tokens,
                domain_of(self.settings.problems).delimiter,
            )
            self._engines[folder] = TransformersEngine(
                folder, sampling, device=self.device, dtype=self._dtype
            )
        return self._engines[folder]

    def _scorer(self, folder: Path) -> Scorer:
        if folder not in self._scorers:
            engine = self.settings.engine
            self._scorers[folder] = Scorer(
                folder, device=self.device, dtype=self._dtype, score_tokens=engine.score_tokens
            )
        return self._scorers[folder]
