"""Every planner as `pav label` runs it: real units of a briefly trained policy."""

from statistics import fmean

import polars as pl
import pytest

from pav.models.domains.countdown.domain import is_solvable_prefix
from pav.models.errors import InputError
from pav.models.labels.sequential import SequentialRule
from pav.models.prefixes import prefix_id
from pav.models.records import Prefix
from pav.models.settings import RunSettings
from pav.tasks.database.database import run_query
from pav.tasks.database.publishing import DATABASE, publish_database
from pav.tasks.label import rounds_work as allocating
from pav.tasks.label import work as labelling
from pav.tasks.label.plan import check_labelling, labelled, plan_labelling
from pav.tasks.label.rounds_plan import Rounds
from pav.tasks.store.manifests import find_many, holding, read_tables
from pav.tasks.store.prefix_tables import with_steps
from pav.tasks.train.data import counts_by_prefix, make_examples, read_published
from pav.tasks.train.plan import TrainWork, plan_training
from tests.tasks.brief_world import SETTINGS, TaughtWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A store with samples of a policy that is right now and then."""
    return TaughtWorld(tmp_path_factory.mktemp("taught"))


def with_label(world, **label):
    values = world.settings.model_dump()
    values["label"] |= {"block_size": 2, "num_rollouts": 8} | label
    return RunSettings.model_validate(values)


def planned(world, settings):
    return plan_labelling(settings, policies=world.policies, sample_manifests=world.samples)


def training_units(world, settings, labels):
    return plan_training(
        settings,
        pipeline_seed=0,
        policies=world.policies,
        sample_manifests=world.samples,
        label_manifests=labels,
    )


class Made:
    """The labels of one planner, and every sampled solution with its open prefixes."""

    def __init__(self, world, manifests):
        store = world.store
        self.manifests = manifests
        self.blocks = read_tables(store, holding(manifests, "label_blocks"), "label_blocks")
        self.rollouts = read_tables(store, holding(manifests, "rollouts"), "rollouts")
        self.solutions = read_tables(store, world.samples, "solutions")
        self.prefixes = read_tables(store, world.samples, "prefixes")
        key = ("prefix_id", "block")
        self.rules = dict(
            zip(self.blocks.select(key).iter_rows(), self.blocks["stopping_rule"], strict=True)
        )

    def of(self, problem_id, steps):
        """Rules by block of one prefix."""
        name = prefix_id(Prefix(problem_id, tuple(steps)))
        return {block: rule for (prefix, block), rule in self.rules.items() if prefix == name}

    def counts(self, problem_id, steps, rule):
        """Right and all rollouts of a prefix's blocks of one rule."""
        name = prefix_id(Prefix(problem_id, tuple(steps)))
        own = self.blocks.filter(prefix_id=name, stopping_rule=rule)
        return own["num_correct"].sum(), own["num_rollouts"].sum()


def made(world, settings):
    return Made(world, world.made(labelling, planned(world, settings)))


# Four rollouts to pilot and to walk, eight to estimate, two for the pit.
FIRST_PIT = {"planner": "first_pit", "pilot_rollouts": 4, "search_rollouts": 4, "pit_rollouts": 2}
TREE_SEARCH = {"planner": "tree_search", "search_rollouts": 8, "num_searches": 3}


@pytest.fixture(scope="module")
def pits(world):
    """Labels of first_pit."""
    return made(world, with_label(world, **FIRST_PIT))


def test_a_planner_draws_the_same_rollouts_as_exhaustive_labels_of_the_same_blocks(world, pits):
    whole = made(world, with_label(world, num_rollouts=12))
    both = pits.blocks.join(whole.blocks, on=["prefix_id", "policy_id", "seed", "block"])
    assert both.height == pits.blocks.height > 20
    assert (both["num_correct"] == both["num_correct_right"]).all()
    assert both["num_correct"].sum() > 0


def test_a_wrong_solution_of_a_living_problem_is_labelled_as_far_as_it_was_walked(pits):
    seen = 0
    for problem_id, steps in pits.solutions.filter(verdict="wrong").select(
        "problem_id", "steps"
    ).iter_rows():  # fmt: skip
        if not pits.counts(problem_id, (), "search")[0]:
            continue
        seen += 1
        rules = [set(pits.of(problem_id, steps[:end]).values()) for end in range(len(steps))]
        walked = [end for end, own in enumerate(rules) if "search" in own]
        assert walked == list(range(len(walked)))
        assert all({"fresh", "fixed"} & rules[end] for end in walked)
    assert seen > 3


def test_blocks_that_found_a_pit_are_none_of_those_that_estimate_it(pits):
    found = pits.blocks.filter(pl.col("stopping_rule") == "search")
    estimates = pits.blocks.filter(pl.col("stopping_rule") != "search")
    # Blocks that look have the numbers 0 and 1, those that estimate come after them.
    assert set(found["block"]) <= {0, 1}
    assert set(estimates["block"]) <= set(range(2, 6))
    assert found.height > 5
    assert estimates.height > 5


def test_binary_search_labels_as_few_prefixes_as_it_needs(world):
    labels = made(
        world, with_label(world, planner="binary_search", search_rollouts=4, pit_rollouts=2)
    )
    whole = made(world, with_label(world, num_rollouts=4))
    assert labels.blocks["prefix_id"].n_unique() < whole.blocks["prefix_id"].n_unique()
    # A pit that was found has no right rollout in what found it.
    pits = labels.blocks.filter(pl.col("stopping_rule") == "fresh")["prefix_id"].unique()
    found = labels.blocks.filter(stopping_rule="fixed").filter(
        pl.col("prefix_id").is_in(pits.implode())
    )
    assert found["num_correct"].sum() == 0
    assert len(pits) > 0
    assert found["num_rollouts"].sum() == 4 * len(pits)


def test_a_tree_search_publishes_the_responses_and_prefixes_that_it_went_through(world):
    labels = made(world, with_label(world, **TREE_SEARCH))
    searched = read_tables(world.store, holding(labels.manifests, "solutions"), "solutions")
    prefixes = read_tables(world.store, holding(labels.manifests, "prefixes"), "prefixes")
    assert searched.height > 3
    assert set(searched["verdict"]) == {"wrong"}
    assert max(searched.group_by("problem_id").len()["len"]) <= 3
    assert min(searched["sample"]) >= labelling.FIRST_SEARCHED
    assert not set(searched["solution_id"]) & set(labels.solutions["solution_id"])
    known = {*prefixes["prefix_id"], *labels.prefixes["prefix_id"]}
    assert set(labels.blocks["prefix_id"]) <= known
    # The solver says of every labelled prefix with a right rollout that it can still be solved.
    whole = pl.concat([searched, labels.solutions])
    alive = labels.blocks.filter(pl.col("num_correct") > 0).join(
        with_steps(prefixes.unique("prefix_id"), whole), on="prefix_id"
    )
    for problem_id, steps in alive.select("problem_id", "steps").iter_rows():
        assert is_solvable_prefix(world.problems[problem_id], Prefix(problem_id, tuple(steps)))


def test_the_database_cuts_the_prefixes_of_a_tree_search_out_of_its_responses(world):
    labels = made(world, with_label(world, **TREE_SEARCH))
    assert publish_database(world.store).faults == []
    searched = read_tables(world.store, holding(labels.manifests, "solutions"), "solutions")
    prefixes = read_tables(world.store, holding(labels.manifests, "prefixes"), "prefixes")
    expected = {
        prefix_id(Prefix(problem_id, tuple(steps), is_finished)): "".join(steps)
        for problem_id, steps, is_finished in with_steps(prefixes, searched)
        .select("problem_id", "steps", "is_terminal")
        .iter_rows()
    }
    found = run_query(world.store.local_path(DATABASE), "select prefix_id, text from prefixes")
    assert expected.items() <= dict(found.iter_rows()).items()
    assert len(expected) > 10


def test_what_a_tree_search_looked_for_trains_no_orm_as_a_seed_solution(world):
    settings = with_label(world, **TREE_SEARCH)
    labels = world.made(labelling, planned(world, settings))
    units = training_units(world, settings, labels)
    [seed] = [unit for unit in units if unit.parameters["verifier"] == "orm_seed"]
    [q] = [unit for unit in units if unit.parameters["verifier"] == "q"]
    published = read_published(world.store, q)
    assert published.solutions.height == read_tables(
        world.store, world.samples, "solutions"
    ).height  # fmt: skip
    # Every rollout of the tree has its prefix, and values are fitted at nodes of the tree too.
    assert published.rollouts.join(published.prefixes, on="prefix_id", how="anti").is_empty()
    assert make_examples(TrainWork.of(q), published, world.problems).training
    assert "label:base:train:0:all" not in seed.inputs


def test_an_adaptive_prefix_stops_where_its_rule_says_so(world):
    labels = made(world, with_label(world, planner="adaptive", width=0.6, threshold=0.0))
    rule = SequentialRule(2, 0.6, 0.0, 0.95, 8)
    totals = labels.blocks.group_by("prefix_id").agg(
        pl.col("num_correct").sum(), pl.col("num_rollouts").sum()
    )
    assert set(labels.blocks["stopping_rule"]) == {"fixed", rule.name}
    ends = set(totals.select("num_correct", "num_rollouts").iter_rows())
    assert not any(rule.goes_on(*end) for end in ends)
    assert len({rollouts for _, rollouts in ends}) > 1


def test_every_block_that_was_drawn_trains_a_value(world, pits):
    settings = with_label(world, **FIRST_PIT)
    units = training_units(world, settings, pits.manifests)
    published = read_published(world.store, units[0])
    assert "search" in set(pits.blocks["stopping_rule"])
    assert published.rollouts.height == pits.rollouts.height
    counts = counts_by_prefix(published, world.policies["base"].policy_id)
    drawn = pits.blocks.group_by("prefix_id").agg(pl.col("num_correct", "num_rollouts").sum())
    assert counts == {name: (right, count) for name, right, count in drawn.iter_rows()}


class Budgeted:
    """A store in which a budget is spent round by round."""

    def __init__(self, world, budget, rounds=3):
        self.world = world
        self.settings = with_label(world, planner="adaptive", budget=budget, rounds=rounds)
        self.rounds = Rounds(self.settings, world.store, world.policies, world.samples, int(budget))

    def turn(self):
        """Make what is missing and can be made; return how many units that was."""
        units = self.rounds.units()
        done = find_many(self.world.store, units)
        todo = [unit for unit in units if unit.unit_id not in done]
        for stage in (allocating, labelling):
            self.world.made(stage, [unit for unit in todo if unit.stage == stage.STAGE])
        return len(todo)

    def finish(self):
        while self.turn():
            pass
        return list(find_many(self.world.store, self.rounds.units()).values())


def test_a_budget_is_spent_to_the_block_in_rounds_that_read_each_other(world):
    manifests = Budgeted(world, 500).finish()
    stages = [manifest.unit.stage for manifest in manifests]
    assert stages.count("allocate") == 3
    labels = Made(world, labelled(manifests))
    assert labels.blocks["num_rollouts"].sum() == 500
    assert set(labels.blocks["stopping_rule"]) == {"fixed", "allocated"}
    # A first block everywhere; what comes after goes to prefixes that are not settled.
    first = labels.blocks.filter(block=0)
    assert set(first["prefix_id"]) == set(
        labels.prefixes.filter(~pl.col("is_terminal"))["prefix_id"]
    )
    later = labels.blocks.filter(pl.col("block") > 0)["prefix_id"].unique()
    of_later = labels.blocks.filter(pl.col("prefix_id").is_in(later.implode()))
    settled = labels.blocks.filter(~pl.col("prefix_id").is_in(later.implode()))
    assert fmean(of_later["num_correct"]) > fmean(settled["num_correct"])


def test_a_larger_budget_keeps_the_first_round(world):
    Budgeted(world, 500).finish()
    larger = Budgeted(world, 600)
    first = larger.rounds.units()[0]
    assert larger.turn() == 1
    assert first.stage == "allocate"
    units = larger.rounds.units()
    done = find_many(world.store, units)
    # The first blocks are the same ones, so that the second allocation is all that is missing.
    assert [unit.stage for unit in units if unit.unit_id not in done] == ["allocate"]


def test_no_prefix_gets_more_than_the_most_and_a_budget_may_stay_unspent(world):
    labels = Made(world, labelled(Budgeted(world, 1_000_000, rounds=5).finish()))
    totals = labels.blocks.group_by("prefix_id").agg(pl.col("num_rollouts").sum())
    assert set(totals["num_rollouts"]) == {8}


@pytest.mark.slow
@pytest.mark.parametrize("label", [
    {"planner": "exhaustive", "num_rollouts": 4},
    FIRST_PIT,
    {"planner": "binary_search", "search_rollouts": 4, "pit_rollouts": 2},
    TREE_SEARCH,
    {"planner": "adaptive", "goal": "values", "width": 0.6},
    {"planner": "adaptive", "goal": "values", "width": 0.0, "threshold": 0.3},
    {"planner": "adaptive", "goal": "first_error", "threshold": 0.3},
    {"planner": "adaptive", "budget": 500, "rounds": 3},
], ids=lambda label: " ".join(map(str, label.values())))  # fmt: skip
def test_labels_of_every_planner_and_goal_publish_without_a_fault(world, label):
    settings = with_label(world, **label)
    check_labelling(settings)
    if "budget" in label:
        Budgeted(world, label["budget"]).finish()
    else:
        world.made(labelling, planned(world, settings))
    assert publish_database(world.store).faults == []


@pytest.mark.parametrize(("label", "evaluate", "says"), [
    ({"planner": "exhaustive", "budget": 10}, {}, "label.planner adaptive"),
    ({"planner": "adaptive", "budget": 10, "goal": "first_error"}, {}, "label.goal"),
    ({"planner": "adaptive", "width": 0}, {}, "label.width, label.threshold"),
    ({"planner": "first_pit"}, {"prover_value": "head"}, "evaluate.prover_value"),
])  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(label, evaluate, says):
    values = SETTINGS.model_dump()
    values["label"] |= label
    values["evaluate"] |= evaluate
    with pytest.raises(InputError, match=says):
        check_labelling(RunSettings.model_validate(values))


def test_code_of_one_planner_has_a_revision_of_its_own(world):
    def revisions(**label):
        units = planned(world, with_label(world, **label))
        return {unit.parameters.get("planner", {}).get("revision") for unit in units}

    assert revisions(planner="binary_search", search_rollouts=4) == {2}
    assert revisions(**TREE_SEARCH) == {2}
    assert revisions(**FIRST_PIT) == revisions(planner="exhaustive") == {None}
