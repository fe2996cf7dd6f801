import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pav.models.policy.decoding import sample_tokens

LAST_BELOW_ONE = 1 - 2**-24


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=40),
    st.sampled_from([1.0, 0.9, 0.3]),
    st.floats(1 - 2**-24, 1, exclude_max=True),
)
@settings(max_examples=200, deadline=None)
def test_a_uniform_next_to_one_takes_a_token_that_can_be_sampled(logits, top_p, uniform):
    # The token at the end of the vocabulary has no chance at all.
    rows = torch.tensor([[*logits, -torch.inf]])
    uniforms = torch.tensor([uniform], dtype=torch.float64)
    tokens, log_probs = sample_tokens(rows, uniforms, temperature=1.0, top_p=top_p)
    assert tokens.item() < len(logits)
    assert torch.isfinite(log_probs).all()


@pytest.mark.parametrize("top_p", [1.0, 0.8])
def test_every_other_uniform_draws_what_it_drew_in_single_precision(top_p):
    random = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(4096, 33, generator=random)
    uniforms = torch.rand(4096, dtype=torch.float64, generator=random)
    uniforms[:2] = torch.tensor([0.0, LAST_BELOW_ONE])
    tokens, log_probs = sample_tokens(logits, uniforms, temperature=0.7, top_p=top_p)
    chances = torch.softmax(logits / 0.7, dim=-1)
    if top_p < 1:
        ordered, order = chances.sort(dim=-1, descending=True)
        outside = ordered.cumsum(-1) - ordered >= top_p
        chances = chances.masked_fill(outside.scatter(-1, order, outside), 0.0)
    cumulative = chances.cumsum(-1)
    points = uniforms[:, None].float() * cumulative[:, -1:]
    expected = torch.searchsorted(cumulative, points, right=True)
    assert torch.equal(tokens, expected[:, 0])
    chosen = (chances.gather(-1, expected) / cumulative[:, -1:]).log()
    assert torch.equal(log_probs, chosen[:, 0])
