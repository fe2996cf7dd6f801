import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pav import sql
from pav.models.labels import confidence, estimators


@pytest.fixture(scope="module")
def scalar():
    """The value of one SQL expression with the macros, without a database file."""
    import duckdb

    with duckdb.connect() as connection:
        read = {*sql.names("schema"), *sql.names("views"), "progress"}
        for path in sql.build_order():
            if path.startswith("macros/") and not sql.used_names(sql.read(path)) & read:
                connection.execute(sql.read(path)).fetchall()
        yield lambda text, **values: connection.execute(f"select {text}", values).fetchall()[0][0]


counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_best_of_two_from_one_of_four_is_a_half(scalar):
    # 6 pairs of 4 rollouts, 3 of them hold the correct one.
    assert scalar("best_of(1, 4, 2)") == 0.5


def test_best_of_one_is_the_share(scalar):
    assert scalar("best_of(3, 8, 1)") == pytest.approx(3 / 8)


def test_best_of_is_certain_where_too_few_are_wrong(scalar):
    assert scalar("best_of(3, 4, 2)") == 1.0
    assert scalar("best_of(4, 4, 4)") == 1.0


@pytest.mark.parametrize("text", ["best_of(1, 4, 5)", "best_of(1, 4, 0)", "best_of(5, 4, 2)",
                                  "best_of(null, 4, 2)", "best_of(1, null, 2)"])  # fmt: skip
def test_best_of_is_null_where_nothing_can_be_told(scalar, text):
    assert scalar(text) is None


@given(counts=counts, k=st.integers(1, 60))
def test_best_of_equals_binomials(scalar, counts, k):
    correct, rollouts = counts
    found = scalar("best_of($c, $n, $k)", c=correct, n=rollouts, k=k)
    if k > rollouts:
        assert found is None
    else:
        expected = 1 - math.comb(rollouts - correct, k) / math.comb(rollouts, k)
        assert found == pytest.approx(expected, abs=1e-12)


def test_wilson_interval_of_five_in_ten_is_the_textbook_one(scalar):
    assert scalar("wilson_low(5, 10)") == pytest.approx(0.2366, abs=1e-4)
    assert scalar("wilson_high(5, 10)") == pytest.approx(0.7634, abs=1e-4)


def test_wilson_interval_of_none_in_ten_ends_at_z2_over_n_plus_z2(scalar):
    assert scalar("wilson_low(0, 10)") == 0.0
    assert scalar("wilson_high(0, 10, z := 2)") == pytest.approx(4 / 14)


def test_wilson_interval_without_rollouts_is_everything(scalar):
    assert (scalar("wilson_low(0, 0)"), scalar("wilson_high(0, 0)")) == (0.0, 1.0)


@pytest.mark.parametrize("text", ["wilson_low(null, 3)", "wilson_high(null, 3)",
                                  "wilson_low(2, null)", "wilson_high(4, 3)"])  # fmt: skip
def test_wilson_interval_of_no_counts_is_null(scalar, text):
    assert scalar(text) is None


@given(counts=counts)
def test_wilson_interval_equals_the_estimator_in_python(scalar, counts):
    low, high = confidence.wilson_interval(*counts)
    values = {"c": counts[0], "n": counts[1]}
    assert scalar("wilson_low($c, $n)", **values) == pytest.approx(float(low), abs=1e-12)
    assert scalar("wilson_high($c, $n)", **values) == pytest.approx(float(high), abs=1e-12)


@given(counts=counts)
def test_value_se_equals_the_estimator_in_python(scalar, counts):
    found = scalar("value_se($c, $n)", c=counts[0], n=counts[1])
    assert found == pytest.approx(float(estimators.value_error(*counts)), abs=1e-12)


@given(before=counts, after=counts)
def test_advantage_se_adds_the_variances(scalar, before, after):
    found = scalar("advantage_se($a, $b, $c, $d)", a=before[0], b=before[1], c=after[0], d=after[1])
    errors = [float(estimators.value_error(*each)) for each in (before, after)]
    assert found == pytest.approx(math.hypot(*errors), abs=1e-12)


def test_advantage_se_by_hand(scalar):
    # 1/4 and 3/4: each variance is 3/64.
    assert scalar("advantage_se(1, 4, 3, 4)") == pytest.approx(math.sqrt(6 / 64))
    assert scalar("advantage_se(1, 4, 0, 0)") is None


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_the_confidence_sequence_equals_the_one_in_python(scalar, level):
    pairs = [(correct, number) for number in (1, 8, 61) for correct in range(number + 1)]
    low, high = confidence.sequence_interval(*zip(*pairs, strict=True), confidence=level)
    for name, expected in (("sequence_low", low), ("sequence_high", high)):
        values = ", ".join(f"{name}({c}, {n}, confidence := $p)" for c, n in pairs)
        assert scalar(f"[{values}]", p=level) == pytest.approx(expected.tolist(), abs=1e-12)


@pytest.mark.parametrize("text", ["sequence_low(null, 3)", "sequence_high(null, 3)",
                                  "sequence_low(2, null)", "sequence_high(4, 3)"])  # fmt: skip
def test_the_confidence_sequence_of_no_counts_is_null(scalar, text):
    assert scalar(text) is None


def test_the_confidence_sequence_without_rollouts_is_everything(scalar):
    assert (scalar("sequence_low(0, 0)"), scalar("sequence_high(0, 0)")) == (0.0, 1.0)
