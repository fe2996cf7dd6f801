"""A published problem has the prompt that its own settings give it, to the character."""

import pytest

from pav.models.domains import domain, domain_key
from pav.models.settings import RunSettings
from pav.tasks.database.database import run_query
from pav.tasks.database.publishing import DATABASE, publish_database
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import publish
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

ASKED = RunSettings(problems={"domain": "math", "prompt": "Question: {question}\nAnswer:"})


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


def put(store, family, question, answer, *, name="problems", **parameters):
    unit = Unit("problems", name, 1, parameters)
    problem = domain(family).problem(question, answer, problem_id="", split="train")
    row = {field: getattr(problem, field) for field in problem.__slots__}
    table = to_parquet("problems", frame("problems", [row | {"unit_id": unit.unit_id}]))
    publish(store, unit, Outcome((Output("problems.parquet", table, 1),)))


def prompts(store):
    publish_database(store)
    query = "select question, prompt from problems order by question"
    return dict(run_query(store.local_path(DATABASE), query).rows())


def test_the_prompt_is_the_domains_own(store):
    put(store, "countdown", "4 5 10 10", "24", domain="countdown")
    put(store, "math", "1 + 1?", "2", domain=domain_key(ASKED))
    assert prompts(store) == {
        "4 5 10 10": "4 5 10 10 -> 24\n",
        "1 + 1?": "Question: 1 + 1?\nAnswer:",
    }


def test_a_problem_in_two_units_is_asked_as_the_newer_one_asks_it(store):
    put(store, "math", "1 + 1?", "2", name="older", domain="math")
    put(store, "math", "1 + 1?", "2", name="newer", domain=domain_key(ASKED))
    assert prompts(store) == {"1 + 1?": "Question: 1 + 1?\nAnswer:"}


@pytest.mark.parametrize("domain", ["chess", 'math {"colour": "red"}', "math {", None])
def test_settings_that_this_version_does_not_know_leave_the_prompt_open(store, domain):
    put(store, "math", "1 + 1?", "2", domain=domain)
    assert prompts(store) == {"1 + 1?": None}


def test_a_unit_without_a_domain_leaves_the_prompt_open(store):
    put(store, "math", "1 + 1?", "2")
    assert prompts(store) == {"1 + 1?": None}
