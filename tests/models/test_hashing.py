"""Random numbers by hashing: the same for ever, or every published sample would change."""

import numpy as np
import pytest

from pav.models.hashing import uniforms

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mixed(x):
    """Return splitmix64's output function of whole numbers of any size."""
    x &= MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def words(values):
    return np.array(values, dtype=np.uint64)


def test_the_reference_is_splitmix64_by_its_published_first_outputs():
    outputs = [mixed(1234567 + number * GOLDEN) for number in (1, 2, 3)]
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize(("stream", "sample", "position"), [
    (0, 0, 0), (1234567, 1, 0), (MASK, 7, 31), (5, 1 << 40, 2),
])  # fmt: skip
def test_a_uniform_is_the_hash_of_its_stream_sample_and_position(stream, sample, position):
    bits = mixed(mixed(stream + sample * GOLDEN) ^ mixed(position + GOLDEN)) >> 11
    [found] = uniforms(words([stream]), words([sample]), words([position]))
    assert found == (bits + 0.5) / 2**53


def test_uniforms_are_even_within_zero_and_one():
    found = uniforms(words([3] * 20_000), words(range(20_000)), words([0] * 20_000))
    assert 0 < found.min() < 0.001
    assert 0.999 < found.max() < 1
    assert np.histogram(found, 10, (0, 1))[0] == pytest.approx([2000] * 10, abs=200)
