"""Monte Carlo labels."""

from typing import Annotated, Literal

from pydantic import Field

from pav.models.settings.base import Settings, distinct
from pav.models.settings.choice import choice


class LabelSettings(Settings):
    """Monte Carlo labels."""

    planner: Annotated[
        str,
        choice("planners", "exhaustive", "first_pit", "binary_search", "tree_search", "adaptive"),
    ] = "exhaustive"
    """Which prefixes are rolled out, and how often. `exhaustive`: all, equally often. `first_pit`:
    those up to the first pit. `binary_search` and `tree_search`: halving to the first error, in
    sampled solutions or in a tree of rollouts. `adaptive`: each until its own counts are enough
    (with a `budget`: where it buys most)."""
    num_rollouts: int = Field(16, ge=1, le=1_000_000)
    """n_mc: rollouts of the base from each prefix that is estimated; for `adaptive` the most."""
    num_prover_rollouts: int = Field(8, ge=0, le=1_000_000)
    """Rollouts of each prover from each prefix that it labels; 0: provers do not label."""
    block_size: int = Field(8, ge=1, le=1_000_000)
    """Rollouts in one block; every number of rollouts here is rounded up to whole blocks."""
    provers: Annotated[tuple[str, ...], distinct()] = ("weak", "strong")
    """Provers that label besides the base, by their names in `prepare.policies`."""
    prover_shards: int = Field(1_000_000, ge=0, le=1_000_000)
    """Number of buckets of training problems that the provers label, from the first on."""
    search_rollouts: int = Field(8, ge=1, le=1_000_000)
    """Rollouts of a prefix in the search for a first error (for `first_pit` on its walk)."""
    pilot_rollouts: int = Field(8, ge=1, le=1_000_000)
    """Rollouts of a prefix while `first_pit` looks for the start of its walk."""
    high_value: float = Field(0.0, ge=0, lt=1)
    """`first_pit` starts at the first prefix with a larger share of right pilot rollouts; the paper
    does not publish its threshold."""
    pit_rollouts: int = Field(0, ge=0, le=1_000_000)
    """Fresh rollouts of the prefix that a search ends at; 0 means `num_rollouts`."""
    num_searches: int = Field(16, ge=1, le=1_000_000)
    """Most binary searches of one problem (`tree_search`)."""
    search_alpha: float = Field(0.5, gt=0, le=1)
    """`tree_search` prefers rollouts of nodes of high value by alpha^(1 - value)."""
    search_beta: float = Field(0.9, gt=0, le=1)
    """`tree_search` prefers short rollouts by beta^(tokens / search_length)."""
    search_length: float = Field(500.0, gt=0, le=1e9)
    """Length of a rollout, in tokens, at which `search_beta` counts once."""
    search_puct: float = Field(0.125, ge=0, le=1e9)
    """Weight of rarely searched nodes (`tree_search`)."""
    goal: Literal["values", "first_error"] = "values"
    """What `adaptive` estimates: the value of every prefix, or the step at which a wrong solution's
    value becomes 0."""
    width: float = Field(0.3, ge=0, lt=1)
    """`adaptive` stops a prefix when its confidence sequence is at most this wide; 0: no such
    stop."""
    threshold: float = Field(0.0, ge=0, lt=1)
    """`adaptive` stops a prefix when its confidence sequence lies on one side of this value; 0: no
    such stop. For `first_error`: a prefix without a right rollout, below this value, is an
    error."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """Coverage of those confidence sequences, over all looks together."""
    budget: float = Field(0.0, ge=0, le=1e15)
    """What `adaptive` may spend on one pipeline seed, in `budget_unit`; 0: no common budget."""
    budget_unit: Literal["rollouts", "tokens", "minutes"] = "rollouts"
    """Unit of the budget; generated tokens and minutes are turned into rollouts by a pilot."""
    rounds: int = Field(4, ge=1, le=100)
    """Rounds in which the budget is spent: a first block everywhere, then by expected gain."""
    max_unparsed: float = Field(0.05, ge=0, le=1)
    """Largest share of responses in which `problems.answer_mark` finds no answer (math). Above it
    labelling stops, as it would call these responses failures. 1 allows all."""
