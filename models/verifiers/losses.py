"""Losses of verifiers. Shape letters: N step ends, H heads."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def soft_cross_entropy(
    logits_NH: Tensor, targets_NH: Tensor, weights_NH: Tensor, *, normaliser: float
) -> Tensor:
    """Return sum of w (-[t log p + (1 - t) log(1 - p)]) / normaliser, p = sigmoid(logit).

    The soft-label cross-entropy of the paper's App. D: a target is a share of correct rollouts.
    A normaliser that does not depend on the batch keeps the gradient of a batch unbiased.
    """
    total = binary_cross_entropy_with_logits(
        logits_NH.float(), targets_NH, weight=weights_NH, reduction="sum"
    )
    return total / normaliser
