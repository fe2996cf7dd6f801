"""The record of a verifier kind, which plug-ins fill too.

Planning reads kinds, so that a module with a kind imports torch within functions alone.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from pav.models.errors import InputError
from pav.models.settings import RunSettings
from pav.models.splits import SPLITS
from pav.models.verifiers.data import TargetSequence
from pav.models.verifiers.published import Published

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class VerifierSpec:
    """A network to train: `heads` names its outputs.

    `policies` holds the role whose rollouts label each head, `best_of_k` the K of its target.
    `targets` says how values are counted; scores with it are compared with the labels of prefixes.
    It is empty where scores are no values. `knobs` are further hashed settings that the examples,
    the loss and the card read.
    """

    name: str
    heads: tuple[str, ...]
    policies: tuple[str, ...]
    best_of_k: tuple[int, ...]
    steps: int
    targets: str = ""
    knobs: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Raise InputError where the heads' lists do not fit each other, or knobs are no JSON."""
        sizes = {len(self.heads), len(self.policies), len(self.best_of_k)}
        if sizes != {len(set(self.heads))} or sizes == {0}:
            raise InputError(
                f"verifier {self.name!r}: expected distinct heads, each with a policy and a K, got "
                f"heads {self.heads!r}, policies {self.policies!r}, best_of_k {self.best_of_k!r}"
            )
        if self.knobs is not None and not _is_json(dict(self.knobs)):
            raise InputError(
                f"verifier {self.name!r}: expected knobs as JSON has them, got {self.knobs!r}; "
                'dump the settings block by model_dump(mode="json")'
            )


def _is_json(values: dict[str, Any]) -> bool:
    """Return whether a unit would hand back these very values."""
    try:
        return bool(json.loads(json.dumps(values)) == values)
    except (TypeError, ValueError):
        return False


class VerifierWork(Protocol):
    """What the functions of a kind are told of a network: the work of a training unit."""

    @property
    def policies(self) -> Mapping[str, str]:
        """Role -> policy_id; `base` is there."""

    @property
    def head_policies(self) -> Sequence[str]:
        """The policy_id whose rollouts label each head."""

    @property
    def best_of_k(self) -> Sequence[int]:
        """The K of each head's target."""

    @property
    def targets(self) -> str:
        """How values are counted; empty where scores are no values."""

    @property
    def knobs(self) -> Mapping[str, Any] | None:
        """What the kind's settings say."""


class Examples(Protocol):
    """Makes examples of the tables of some problems, to train on or `held_out` to stop by."""

    def __call__(
        self, work: VerifierWork, published: Published, /, *, held_out: bool
    ) -> list[TargetSequence]:
        """Return the sequences with targets in [0, 1]."""


class Loss(Protocol):
    """The loss of N step ends and H heads; targets are chances, weights may be 0."""

    def __call__(
        self,
        outputs_NH: "Tensor",
        targets_NH: "Tensor",
        weights_NH: "Tensor",
        /,
        *,
        normaliser: float,
    ) -> "Tensor":
        """Return the weighted sum of the losses over the normaliser, a scalar."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """The link between a network's output and a chance; score = sigmoid(scale * log-odds + bias).

    `code` is the same in torch, of the tensor `logits`: the card's code runs it.
    """

    log_odds: Callable[[Floats], Floats]
    output: Callable[[Floats], ArrayLike]
    code: str


LOG_ODDS = Link(log_odds=lambda outputs: outputs, output=logit, code="logits")


@dataclass(frozen=True, kw_only=True)
class CardWords:
    """What the model card says: "it estimates <equation>", "Fitted on: <data>.", and so on."""

    equation: str
    data: str
    targets: str
    meaning: str
    loss: str = "soft-label cross-entropy"


def cross_entropy(_: VerifierWork) -> Loss:
    """Return the loss of outputs that are log-odds."""
    from pav.models.verifiers.losses import soft_cross_entropy

    return soft_cross_entropy


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of verifier.

    Args:
        specs: the networks that the settings ask for.
        examples: makes the examples of a network.
        card: the words of its model card.
        titles: head -> its name in the report.
        label_splits: the splits whose labels are read, of its heads' policies.
        loss: the loss of a network.
        link: how its output says a chance.
        score_note: what `pav score` adds.
    """

    specs: Callable[[RunSettings], Sequence[VerifierSpec]]
    examples: Examples
    card: Callable[[VerifierWork], CardWords]
    titles: Mapping[str, str]
    label_splits: Sequence[str] = SPLITS
    loss: Callable[[VerifierWork], Loss] = cross_entropy
    link: Link = LOG_ODDS
    score_note: str = ""
