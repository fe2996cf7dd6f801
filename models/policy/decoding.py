"""Next tokens from logits, chosen by given uniform numbers."""

import torch

# The largest single-precision number below 1.
_LAST_BELOW_ONE = 1 - 2**-24


def sample_tokens(
    logits_BV: torch.Tensor, uniforms_B: torch.Tensor, *, temperature: float, top_p: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return one token id per row by inverting the cumulative distribution at its uniform.

    The distribution is softmax(logits / temperature), cut to the smallest set of most likely
    tokens whose mass reaches top_p (Holtzman et al. 2020). Also returns the tokens'
    log-probabilities, in nats, under that distribution. Shapes (B,).
    """
    probabilities_BV = torch.softmax(logits_BV.float() / temperature, dim=-1)
    if top_p < 1:
        probabilities_BV = _nucleus(probabilities_BV, top_p)
    cumulative_BV = probabilities_BV.cumsum(-1)
    masses_B1 = cumulative_BV[:, -1:]
    # Single precision rounds numbers close to 1 up to 1, which is beyond every token's share of the
    # mass.
    points_B1 = uniforms_B[:, None].float().clamp(max=_LAST_BELOW_ONE) * masses_B1
    tokens_B1 = torch.searchsorted(cumulative_BV, points_B1, right=True)
    tokens_B1.clamp_(max=logits_BV.shape[-1] - 1)
    log_probs_B1 = (probabilities_BV.gather(-1, tokens_B1) / masses_B1).log_()
    return tokens_B1[:, 0], log_probs_B1[:, 0]


def log_probs_of(
    logits_BV: torch.Tensor, tokens_B: torch.Tensor, *, temperature: float, top_p: float
) -> torch.Tensor:
    """Return the log-probability of given tokens under the distribution that is sampled from.

    Shape (B,), in nats; minus infinity where the nucleus leaves a token out.
    """
    log_probabilities_BV = torch.log_softmax(logits_BV.float() / temperature, dim=-1)
    if top_p < 1:
        kept_BV = _nucleus(log_probabilities_BV.exp(), top_p)
        log_probabilities_BV = (kept_BV / kept_BV.sum(-1, keepdim=True)).log()
    return log_probabilities_BV.gather(-1, tokens_B[:, None])[:, 0]


def _nucleus(probabilities_BV: torch.Tensor, top_p: float) -> torch.Tensor:
    """Return the probabilities with everything outside the nucleus set to zero."""
    ordered, order = probabilities_BV.sort(dim=-1, descending=True)
    outside = ordered.cumsum(-1) - ordered >= top_p
    return probabilities_BV.masked_fill(outside.scatter(-1, order, outside), 0.0)
