import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaForCausalLM

from pav.flows.plan import Plan
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings, RunSettings
from pav.tasks.label import pilot_plan
from pav.tasks.label import pilot_work as piloting
from pav.tasks.label import work as labelling
from pav.tasks.label.estimates import LabelEstimate, known_estimate, missing_pilots
from pav.tasks.label.notes import label_notes
from pav.tasks.label.pilot_plan import choose_problems, plan_pilots
from pav.tasks.label.plan import plan_labelling
from pav.tasks.prepare.policies import resolve_policies
from pav.tasks.problems import work as problems
from pav.tasks.problems.plan import plan_problems
from pav.tasks.problems.published import read_problems
from pav.tasks.sample import work as sampling
from pav.tasks.sample.plan import plan_sampling
from pav.tasks.store.manifests import publish, read_tables
from pav.tasks.store.store import Store
from tests.policies import named_policies

WANTED = pilot_plan.WARM_PREFIXES + 512


def quiet(message, done, total):
    """Progress nobody watches."""


def checkpoint(path, seed):
    tokenizer = build_tokenizer()
    sizes = PrepareSettings(num_layers=1, hidden_size=16, intermediate_size=32, num_heads=2)
    torch.manual_seed(seed)
    LlamaForCausalLM(build_config(sizes, tokenizer)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


def estimated(settings, store, units) -> LabelEstimate:
    """Return what labels cost; fail where a pilot is missing."""
    estimate = known_estimate(settings, store, units)
    assert estimate is not None
    return estimate


class Made:
    """A store with samples, labels and their pilots."""

    def __init__(self, root):
        base, weak = checkpoint(root / "base", 0), checkpoint(root / "weak", 1)
        self.settings = RunSettings.model_validate(
            {
                "problems": {"max_train": 12, "max_validation": 2, "max_test": 2},
                "prepare": {"policies": named_policies(base=base, weak=weak, strong=base)},
                "sample": {"num_train": 2, "max_tokens": 12, "num_shards": 2},
                "label": {
                    "num_rollouts": 4, "num_prover_rollouts": 2, "block_size": 2,
                    "prover_shards": 1,
                },
                "runner": {"workers": 2},
            }
        )  # fmt: skip
        self.store = Store(str(root / "store"))
        [hands] = self.execute(problems, [plan_problems(self.settings)])
        policies = resolve_policies(self.settings, self.store, None)
        sampled = self.execute(
            sampling,
            plan_sampling(
                self.settings, pipeline_seed=0, policies=policies, problems_manifest=hands,
                problems=read_problems(self.store, hands.unit.unit_id),
            ),
        )  # fmt: skip
        self.prefixes = read_tables(self.store, sampled, "prefixes").filter(~pl.col("is_terminal"))
        self.units = plan_labelling(self.settings, policies=policies, sample_manifests=sampled)
        self.labels = self.execute(labelling, self.units)
        self.files_before = self.store.list("data")
        self.unmeasured = known_estimate(self.settings, self.store, self.units)
        todo = missing_pilots(self.settings, self.store, self.units)
        self.pilots = {
            pilot.unit.parameters["role"]: pilot for pilot in self.execute(piloting, todo)
        }

    def execute(self, stage, units):
        run = stage.open_worker(self.settings, self.store, "cpu", quiet)
        return [publish(self.store, unit, run(unit)) for unit in units]

    @property
    def estimate(self):
        return estimated(self.settings, self.store, self.units)

    def priced(self, price):
        runner = self.settings.runner.model_copy(update={"device_hour_price": price})
        return self.settings.model_copy(update={"runner": runner})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("pilots"))


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 200), min_size=2, max_size=20))
def test_the_problems_of_a_pilot_are_warm_or_measured_and_no_more_than_needed(counts):
    chosen = choose_problems(counts, num_measured=512)
    warm, measured = chosen["warm"], chosen["measured"]
    assert len({*warm, *measured}) == len(warm) + len(measured)
    reached = sum(counts[problem] for problem in [*warm, *measured])
    assert reached >= min(WANTED, sum(counts.values()))
    assert reached - counts[measured[-1]] < WANTED


def test_a_shard_with_few_prefixes_gives_each_part_its_share():
    # 128 of 640 are a fifth: 10 of 50 prefixes, two problems of 5.
    chosen = choose_problems({f"problem {number}": 5 for number in range(10)}, num_measured=512)
    assert (len(chosen["warm"]), len(chosen["measured"])) == (2, 8)


def test_a_lone_problem_is_measured_after_it_warmed_up():
    assert choose_problems({"p": 7}, num_measured=512) == {"warm": ["p"], "measured": ["p"]}


def test_the_choice_of_problems_does_not_depend_on_their_order():
    counts = {f"problem {number}": 100 for number in range(20)}
    assert choose_problems(counts, num_measured=512) == choose_problems(
        dict(reversed(counts.items())), num_measured=512
    )


def test_every_labelling_policy_has_a_pilot_of_all_its_blocks_on_one_training_shard(made):
    pilots = plan_pilots(made.settings, made.store, label_units=made.units)
    blocks = {
        role: [(u["parameters"]["split"], u["parameters"]["shard"], u["parameters"]["block"])
               for u in pilot.parameters["units"]]
        for role, pilot in pilots.items()
    }  # fmt: skip
    assert blocks == {"base": [("train", 0, 0), ("train", 0, 1)], "weak": [("train", 0, 0)]}


def test_another_number_of_workers_has_pilots_of_its_own(made):
    runner = made.settings.runner.model_copy(update={"workers": 1})
    alone = made.settings.model_copy(update={"runner": runner})
    assert len(missing_pilots(alone, made.store, made.units)) == 2
    assert missing_pilots(made.settings, made.store, made.units) == []


@pytest.mark.parametrize("role", ["base", "weak"])
def test_a_pilot_draws_what_the_labels_of_its_problems_draw(made, role):
    """Same streams, so that the tokens measured are to the last those of the real labels."""
    pilot = made.pilots[role]
    mine = made.prefixes.filter(
        pl.col("problem_id").is_in(pilot.unit.parameters["measured"])
    )["prefix_id"]  # fmt: skip
    labelled = [m for m in made.labels if m.unit.parameters["role"] == role]
    blocks = read_tables(made.store, labelled, "label_blocks")
    expected = blocks.filter(pl.col("prefix_id").is_in(mine.implode()))
    assert pilot.cost["steady_prefixes"] == pilot.cost["steady_labels"] == len(mine) > 0
    assert pilot.cost["steady_rollouts"] == expected["num_rollouts"].sum()
    assert pilot.cost["steady_generated_tokens"] == expected["generated_tokens"].sum()


def test_a_pilot_counts_warming_up_as_spent_but_not_as_measured(made):
    for pilot in made.pilots.values():
        for item in ("seconds", "rollouts", "generated_tokens", "engine_seconds"):
            assert pilot.cost[item] > pilot.cost[f"steady_{item}"] > 0


def test_a_pilot_leaves_no_data_behind(made):
    assert all(pilot.files == () for pilot in made.pilots.values())
    assert made.store.list("data") == made.files_before


def test_rollouts_and_labels_of_a_fixed_number_each_are_estimated_exactly(made):
    blocks = read_tables(made.store, made.labels, "label_blocks")
    names = {"base": made.units[0].parameters["policy_id"]}
    for role, items in made.estimate.policies.items():
        is_base = pl.col("policy_id") == names["base"]
        mine = blocks.filter(is_base if role == "base" else ~is_base)
        assert items["rollouts"] == pytest.approx(mine["num_rollouts"].sum())
        assert items["labels"] == pytest.approx(mine["prefix_id"].n_unique())


def test_tokens_are_estimated_from_a_part_of_the_prefixes(made):
    spent = sum(manifest.cost["generated_tokens"] for manifest in made.labels)
    assert made.estimate.num_measured < made.prefixes.height
    assert made.estimate.total["generated_tokens"] == pytest.approx(spent, rel=0.2)


def test_no_pilot_is_no_estimate(made):
    assert made.unmeasured is None


def test_all_workers_share_the_seconds_and_the_price_is_that_of_all_their_hours(made):
    estimate = estimated(made.priced(3600.0), made.store, made.units)
    seconds, labels = estimate.total["seconds"], estimate.total["labels"]
    assert estimate.wall_seconds == seconds / 2
    assert estimate.price == pytest.approx(seconds)
    assert estimate.price_per_1000_labels == pytest.approx(1000 * seconds / labels)
    assert "per 1,000 labels" in estimate.as_text()
    assert "price" not in made.estimate.as_text()
    assert estimate.as_record()["policies"]["weak"]["rollouts"] > 0


def test_finished_labels_stand_beside_their_estimate(made):
    [note] = label_notes(made.settings, made.store, made.labels, label_units=made.units)
    rollouts = sum(int(manifest.cost["rollouts"]) for manifest in made.labels)
    assert note.startswith("estimated ")
    assert note.endswith(f" tokens ({_percent(made):+.0f} %), {rollouts:,} rollouts (+0 %)")


def _percent(made):
    spent = sum(manifest.cost["generated_tokens"] for manifest in made.labels)
    return 100 * (spent / made.estimate.total["generated_tokens"] - 1)


def test_finished_labels_have_a_price_where_an_hour_has_one(made):
    note, _ = label_notes(made.priced(3600.0), made.store, made.labels, label_units=made.units)
    seconds = sum(manifest.cost["seconds"] for manifest in made.labels)
    blocks = read_tables(made.store, made.labels, "label_blocks")
    labels = blocks.select("prefix_id", "policy_id").n_unique()
    assert note == f"price {seconds:.3g}, {1000 * seconds / labels:.3g} per 1,000 labels"


def budgeted(made, **label):
    """The settings under a common budget."""
    changed = {"planner": "adaptive", **label}
    values = made.settings.model_dump()
    return RunSettings.model_validate(values | {"label": values["label"] | changed})


def test_under_a_budget_pilots_take_part_in_a_first_block_of_each_prefix(made):
    plan = Plan(budgeted(made, budget=1000), made.store)
    pieces = {
        (unit.parameters["role"], unit.parameters["block"], unit.parameters["block_size"])
        for unit in plan.piloted_units
    }
    assert pieces == {("base", 0, 2), ("weak", 0, 2)}


def test_a_budget_in_rollouts_is_spent_without_pilots(made):
    part = Plan(budgeted(made, budget=100), made.store).part("label")
    [allocation] = part.units
    assert allocation.stage == "allocate"
    assert allocation.parameters["budget_rollouts"] == 100


def test_a_budget_in_tokens_waits_for_its_pilots_and_buys_rollouts_at_their_tokens(made):
    plan = Plan(budgeted(made, budget=500, budget_unit="tokens"), made.store)
    assert {unit.stage for unit in plan.part("label").units} == {"pilot"}
    made.execute(piloting, plan.part("label").todo)
    units = plan.part("label").units
    assert [unit.stage for unit in units] == ["pilot", "pilot", "allocate"]
    free = budgeted(made, budget=1e9, budget_unit="tokens")
    first = estimated(free, made.store, plan.piloted_units).total
    bought = units[-1].parameters["budget_rollouts"]
    # Four rollouts of a prefix by the base and two by the weak prover are the most that can be.
    assert first["rollouts"] == pytest.approx(4 * len(made.prefixes) + 2 * num_of_weak(made))
    estimate = estimated(plan.settings, made.store, plan.piloted_units)
    assert estimate.total["generated_tokens"] == pytest.approx(500, rel=0.02)
    assert estimate.total["rollouts"] == pytest.approx(bought)
    assert estimate.total["labels"] < len(made.prefixes) + num_of_weak(made)


def num_of_weak(made):
    """Prefixes that the weak prover labels."""
    weak = [unit for unit in made.units if unit.parameters["role"] == "weak"]
    shards = {unit.inputs["prefixes"].unit_id for unit in weak}
    return made.prefixes.filter(pl.col("unit_id").is_in(list(shards))).height


def test_a_tree_is_estimated_by_problems_as_it_grows_from_each_once(made):
    values = made.settings.model_dump()
    chosen = {"planner": "tree_search", "num_searches": 2, "num_prover_rollouts": 0}
    settings = RunSettings.model_validate(values | {"label": values["label"] | chosen})
    units = Plan(settings, made.store).piloted_units
    [pilot] = made.execute(piloting, missing_pilots(settings, made.store, units))
    cost = pilot.cost
    assert cost["steady_problems"] == len(pilot.unit.parameters["measured"])
    estimate = estimated(settings, made.store, units)
    num_problems = made.prefixes["problem_id"].n_unique()
    expected = num_problems * cost["steady_rollouts"] / cost["steady_problems"]
    assert estimate.total["rollouts"] == pytest.approx(expected)
    assert estimate.policies["base"]["prefixes"] == made.prefixes.height
