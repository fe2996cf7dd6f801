import pytest

from pav.models.domains.math.audit import audit_same


@pytest.mark.parametrize(
    ("gold", "response", "says"),
    [
        ("18", "She sells 9.\n#### 18", True),
        ("#### 18", "The answer is $18.00.", True),
        ("18", "so we get 18", True),
        ("18", "#### 118", False),
        ("18", "The answer is 18 eggs", True),
        ("1,018", r"\boxed{1018}", True),
        ("1/2", r"\boxed{\frac{1}{2}}", True),
        ("0.5", r"\boxed{\dfrac12}", None),
        ("1/2", "#### 0.5", True),
        ("1/2", "#### 2", False),
        (r"\text{Evelyn}", r"\boxed{Evelyn}", True),
        ("x+1", r"\boxed{1+x}", None),
        ("18", "#### 3 or 18", None),
        ("18", "#### 5x", None),
        ("1/0", "#### 1/0", True),
        ("18", "", None),
        ("18", "7" * 100_000, False),
    ],
)
def test_the_second_grader_tells_where_numbers_do(gold, response, says):
    assert audit_same(gold, response) is says
