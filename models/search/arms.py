"""The arms of an evaluation, their provers, and the rules by which they pick."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pav.models.errors import InputError, WorkError
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Options that all arms of a unit share.

    `beam_width` 0 keeps a quarter of the candidates; `max_steps` 0 leaves the steps of a response
    to the bound on tokens. `likelihood_weight` is the power of the likelihood beside a verifier's
    score, and `per_token` removes the influence of a response's length. `prover_value`, `formula`
    or `head`, says where a best-of-K prover's value comes from. `knobs` holds the settings of
    plug-in strategies: strategy -> setting -> value.
    """

    beam_width: int
    max_steps: int
    likelihood_weight: float
    prover_value: str
    per_token: bool
    knobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Arm:
    """A way to search: planned, hashed, run and compared.

    `num_samples` is the number of candidates; for `beam_paper` it is the number of kept beams, the
    paper's N. Validation chooses `alpha` and `final_pick` for each pipeline seed. Both are None
    before that, and in comparisons over several pipeline seeds.
    """

    strategy: str
    verifier: str
    prover: str
    num_samples: int
    alpha: float | None = None
    final_pick: str | None = None

    def chosen(self, *, alpha: float = 0.0, final_pick: str = "") -> "Arm":
        """Return the arm as it is run."""
        return replace(self, alpha=alpha, final_pick=final_pick)

    @property
    def guide(self) -> tuple[str, str, str]:
        """Strategy, verifier and prover: the arm without its number of candidates."""
        return self.strategy, self.verifier, self.prover

    @property
    def words(self) -> str:
        """Strategy, verifier and prover in a row, without empty ones."""
        return " ".join(filter(None, self.guide))

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.words} at {self.num_samples}"

    def to_record(self) -> dict[str, Any]:
        """Return the arm as JSON has it, without what is not chosen yet."""
        return {name: value for name, value in asdict(self).items() if value is not None}


# The fields that name an arm where alpha and final pick may differ by pipeline seed.
ARM_KEY = ("strategy", "verifier", "prover", "num_samples")


def prover_names(settings: RunSettings) -> list[str]:
    """Return the provers of an evaluation: the main K first, then the other K, then policies."""
    evaluate, label = settings.evaluate, settings.label
    ks = dict.fromkeys((evaluate.main_k, *evaluate.best_of_k))
    distinct = label.provers if label.num_prover_rollouts and label.prover_shards else ()
    return [*map(bok_name, ks), *distinct]


def bok_name(k: int) -> str:
    """Return the name of the best-of-K prover."""
    return f"bo{k}"


def prover(name: str, options: SearchOptions) -> Prover:
    """Return the prover of an arm by its name; the base itself for an empty one."""
    if not name:
        return BASE
    if not name.startswith("bo"):
        return Prover(name, f"q_{name}")
    if not name[2:].isdigit():
        raise InputError(f"prover: expected '', 'boK' or the name of a policy, got {name!r}")
    if options.prover_value == "head":
        return Prover(name, f"q_{name}")
    return Prover(name, BASE_VERIFIER, int(name[2:]))


def final_picks(options: SearchOptions) -> dict[str, Rule]:
    """Return the rule of each final pick of beams."""
    orm = ORMS["orm"]
    weight, per_token = options.likelihood_weight, options.per_token
    return {
        "q_last": Rule("last"),
        "q_product": Rule("product"),
        "orm": Rule("last", orm),
        "q_likely": Rule("last", likelihood=weight, per_token=per_token),
        "orm_likely": Rule("last", orm, likelihood=weight, per_token=per_token),
    }


def ranking(arm: Arm, options: SearchOptions) -> Rule:
    """Return how an arm without a beam picks a solution; InputError where it cannot."""
    if arm.strategy == "single":
        return FIRST
    if arm.verifier in CONTROLS:
        return replace(CONTROLS[arm.verifier], per_token=options.per_token)
    if arm.verifier in RANKED:
        return final_picks(options)[RANKED[arm.verifier]]
    if arm.verifier in ORMS:
        return Rule("last", ORMS[arm.verifier])
    if arm.verifier == "pav" and arm.final_pick in AGGREGATES:
        kind: Any = arm.final_pick
        measured = prover(arm.prover, options)
        return Rule(kind, prover=measured, alpha=alpha_of(arm))
    raise InputError(
        f"best_of_n: expected a verifier of {[*RANKED, *CONTROLS, 'orm_seed', 'pav']}, for pav "
        f"with a final pick of {list(AGGREGATES)}, got {arm.verifier!r} and {arm.final_pick!r}"
    )


def alpha_of(arm: Arm) -> float:
    """Return the alpha of an arm that is run; WorkError where validation has not chosen it."""
    if arm.alpha is None:
        raise WorkError(f"arm {arm.words}: expected an alpha, as validation chooses it, got none")
    return arm.alpha
