import json

import pytest

from pav.tasks.bench.coverage import as_text, bench_coverage


@pytest.fixture(scope="module")
def figures():
    return bench_coverage()


@pytest.mark.slow
def test_the_bench_is_json_and_shows_that_only_the_sequence_stands_peeking(figures):
    rows = json.loads(json.dumps(figures))["coverage"]
    worst = {row["interval"]: row["worst"] for row in rows if row["stopping"].startswith("any")}
    assert worst["sequence"] >= 0.95
    assert worst["wilson"] < 0.85


@pytest.mark.slow
def test_the_tables_show_every_row(figures):
    text = as_text(figures)
    for row in figures["coverage"] + figures["bias"]:
        assert row["stopping"] in text
    assert "0.366 (0.397)" in text


def test_an_estimate_that_does_not_exist_is_shown_as_none():
    row = {"stopping": "fixed 2", "q": 0.5, "k": 3, "truth": 0.875, "estimate": "plug_in",
           "mean": 0.7, "error": 0.1}  # fmt: skip
    text = as_text({"confidence": 0.95, "values": [0.5], "coverage": [], "bias": [row]})
    assert text.splitlines()[-1].split()[-5:] == ["0.700", "(0.100)", "none", "none", "none"]
