"""The arms of an evaluation: what each is, runs as, picks by, and which provers there are."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from pav.models.errors import InputError
from pav.models.search.best_of_n import FIRST
from pav.models.search.rewards import BASE, BASE_VERIFIER, Prover, Rule
from pav.models.settings import RunSettings

# Verifier of an arm -> role of the network. `orm` is the one trained on every graded completion.
ORMS = {"orm": "orm_all", "orm_seed": "orm_seed"}
# Controls of best-of-N: what the policy itself says most, and votes over equal answers.
CONTROLS = {
    "likely": Rule("first", likelihood=1.0),
    "majority": Rule("first", is_vote=True),
    "orm_majority": Rule("last", ORMS["orm"], is_vote=True),
}
# Final picks of beams.
FINAL_PICKS = ("q_last", "q_product", "orm", "q_likely", "orm_likely")
# Verifiers that rank solutions as final picks rank beams.
RANKED = {"q": "q_last", "q_product": "q_product", "q_likely": "q_likely",
          "orm": "orm", "orm_likely": "orm_likely"}  # fmt: skip
# The paper does not say how its PAV-as-ORM aggregates the steps: validation chooses.
AGGREGATES = ("effective_last", "effective_mean", "effective_min")


class SearchOptions(Protocol):
    """What picks and provers are told: settings of `evaluate`, or the work of a unit."""

    @property
    def likelihood_weight(self) -> float:
        """The power of the likelihood beside a verifier's score."""

    @property
    def prover_value(self) -> str:
        """`formula` or `head`: where a best-of-K prover's value comes from."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One line of a comparison; alpha and, for beams, the final pick are chosen on validation."""

    strategy: str
    verifier: str
    prover: str
    num_seeds: int


@dataclass(frozen=True, slots=True)
class Line:
    """An arm as it is run: with its number of candidates, alpha and final pick.

    For `beam_paper`, `num_samples` is the number of beams kept, the paper's N.
    """

    strategy: str
    verifier: str
    prover: str
    num_samples: int
    alpha: float = 0.0
    final_pick: str = ""

    @classmethod
    def of(cls, arm: Arm, num_samples: int, *, alpha: float = 0.0, final_pick: str = "") -> "Line":
        """Return an arm's line."""
        return cls(arm.strategy, arm.verifier, arm.prover, num_samples, alpha, final_pick)

    def to_record(self) -> dict[str, Any]:
        """Return the line as JSON would have it."""
        return asdict(self)


def prover_names(settings: RunSettings) -> list[str]:
    """Return the provers of an evaluation: the main K first, then the other K, then policies."""
    evaluate, label = settings.evaluate, settings.label
    ks = dict.fromkeys((evaluate.main_k, *evaluate.best_of_k))
    distinct = label.provers if label.num_prover_rollouts and label.prover_shards else ()
    return [*map(bok_name, ks), *distinct]


def bok_name(k: int) -> str:
    """Return the name of the best-of-K prover."""
    return f"bo{k}"


def prover(name: str, evaluate: SearchOptions) -> Prover:
    """Return the prover of an arm by its name; the base itself for an empty one."""
    if not name:
        return BASE
    if not name.startswith("bo"):
        return Prover(name, f"q_{name}")
    if not name[2:].isdigit():
        raise InputError(f"prover: expected '', 'boK', 'weak' or 'strong', got {name!r}")
    if evaluate.prover_value == "head":
        return Prover(name, f"q_{name}")
    return Prover(name, BASE_VERIFIER, int(name[2:]))


def final_picks(evaluate: SearchOptions, *, per_token: bool) -> dict[str, Rule]:
    """Return the rule of each final pick; `per_token` where responses differ in length."""
    weight, orm = evaluate.likelihood_weight, ORMS["orm"]
    return {
        "q_last": Rule("last"),
        "q_product": Rule("product"),
        "orm": Rule("last", orm),
        "q_likely": Rule("last", likelihood=weight, per_token=per_token),
        "orm_likely": Rule("last", orm, likelihood=weight, per_token=per_token),
    }


def ranking(line: Line, evaluate: SearchOptions, *, per_token: bool) -> Rule:
    """Return how a line without a beam picks a solution; InputError where it cannot."""
    if line.strategy == "single":
        return FIRST
    if line.verifier in CONTROLS:
        return replace(CONTROLS[line.verifier], per_token=per_token)
    if line.verifier in RANKED:
        return final_picks(evaluate, per_token=per_token)[RANKED[line.verifier]]
    if line.verifier in ORMS:
        return Rule("last", ORMS[line.verifier])
    if line.verifier == "pav" and line.final_pick in AGGREGATES:
        kind: Any = line.final_pick
        return Rule(kind, prover=prover(line.prover, evaluate), alpha=line.alpha)
    raise InputError(
        f"best_of_n: expected a verifier of {[*RANKED, *CONTROLS, 'orm_seed', 'pav']}, for pav "
        f"with a final pick of {list(AGGREGATES)}, got {line.verifier!r} and {line.final_pick!r}"
    )
