import os

import pytest

from pav.models.settings import PrepareSettings
from pav.tasks.bench.memory import as_text, bench_memory
from pav.tasks.runner.worker import KERNELS

TINY = PrepareSettings(num_layers=1, hidden_size=16, intermediate_size=16, num_heads=2)


@pytest.mark.slow
def test_kernels_grow_with_every_shape_unless_they_are_bounded_as_in_workers() -> None:
    before = {name: os.environ.get(name) for name in KERNELS}
    figures = bench_memory(TINY, num_steps=400)
    assert {name: os.environ.get(name) for name in KERNELS} == before
    held = {(case["what"], case["kernels"]): case["resident_bytes"] for case in figures["cases"]}
    assert {len(each) for each in held.values()} == {5}
    grown = {key: each[-1] - each[2] for key, each in held.items()}
    assert grown["products", "as torch does"] > 60 * 2**20
    assert grown["products", "as workers do"] < 40 * 2**20
    text = as_text(figures)
    assert "ONEDNN_PRIMITIVE_CACHE_CAPACITY=128" in text
    assert "products   as torch does" in text
