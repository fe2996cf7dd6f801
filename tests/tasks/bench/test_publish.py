import pytest

from pav.tasks.bench.publish import as_text, bench_publish
from pav.tasks.bench.publish_data import ROLLOUTS_A_PROBLEM, fill
from pav.tasks.database.database import check_database
from pav.tasks.database.publishing import publish_database
from pav.tasks.database.queries import ask
from pav.tasks.store.store import Store


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The smallest store that the bench makes: one problem a shard."""
    store = Store(str(tmp_path_factory.mktemp("generated")))
    fill(store, 1)
    publish_database(store)
    return store


def test_the_generated_store_is_whole_and_of_the_size_asked_for(generated):
    # 16 shards of 1 problem: 105 open prefixes, 2 blocks of 8, and a prover on each fourth shard.
    assert check_database(generated.local_path("labels.duckdb")) == []
    [found] = ask(generated, "select sum(num_rollouts) from labels").rows()
    assert found == (16 * 105 * 16 * 5 // 4,) == (16 * ROLLOUTS_A_PROBLEM,)
    [units] = ask(generated, "select count(*) from units where stage = 'label'").rows()
    assert units == (40,)


def test_its_solutions_share_first_steps_and_its_labels_follow_its_verdicts(generated):
    [(problems, prefixes)] = ask(
        generated,
        "select count(distinct problem_id), count_if(num_steps = 1) from prefixes",
    ).rows()
    assert prefixes == 8 * problems
    [(right, wrong)] = ask(
        generated,
        "select avg(value) filter (where solutions.verdict = 'correct'), "
        "avg(value) filter (where solutions.verdict = 'wrong') from step_values "
        "inner join solutions using (solution_id) where step_values.num_steps = 7",
    ).rows()
    assert right > wrong + 0.3


@pytest.mark.slow
def test_the_bench_reports_every_query_but_those_on_raw_rollouts():
    figures = bench_publish(1)
    assert figures["num_faults"] == 0
    assert figures["num_rows"]["labels"] == 2100
    assert "passing_targets" not in figures["queries"]
    assert len(figures["queries"]) >= 15
    assert 0 < figures["peak_bytes"] < 2**30
    text = as_text(figures)
    assert "33,600 rollouts" in text
    assert "pav sql yield" in text
