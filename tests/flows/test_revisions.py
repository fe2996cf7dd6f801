"""What a stage makes changes only with its REVISION: else stores would mix old rows with new ones.

Every stage is run on a few problems with a policy of written-down weights, in one thread. The rows
are hashed, not the files: Parquet's bytes change with Polars. Left out are `unit_id`, which other
tests hold, and `seconds`. Other numbers with a point are rounded to two decimals, as sums differ in
their last digits from machine to machine. A policy's id hashes its files, which another release of
transformers may write otherwise: where nothing but constraints.txt changed, note the new hashes.
"""

import importlib
import json
from pathlib import Path

import polars as pl
import pytest
import torch

from pav.flows.plan import Plan
from pav.flows.transfer import bring_in
from pav.models.domains import domain
from pav.models.hashing import digest
from pav.models.settings import RunSettings
from pav.tasks.prepare.exercises import known_lessons
from pav.tasks.prepare.plan import plan_pretrain
from pav.tasks.store.datasets import SCHEMAS
from pav.tasks.store.manifests import publish, read_manifest, read_table
from pav.tasks.store.stages import UNIT_STAGES
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest
from tests.bigram_policy import save_bigram_policy
from tests.policies import named_policies

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).with_name("golden_revisions.json")
HANDS = {"2 12": "train", "6 30": "train", "4 20": "train", "1 2 8": "train",
         "2 48": "validation", "4 96": "test"}  # fmt: skip
PARTS = ("problems", "pretrain", "sample", "label", "train", "choose", "evaluate")


def settings_of(folder, policy, **label):
    """Return the settings of a run that takes seconds."""
    rows = [{"question": hand, "answer": "24", "split": split} for hand, split in HANDS.items()]
    (folder / "problems.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return RunSettings.model_validate({
        "problems": {"path": str(folder / "problems.jsonl")},
        "engine": {"dtype": "float32", "batch_size": 16, "device": "cpu"},
        "prepare": {"policies": named_policies(base=policy, weak=policy, strong=policy)},
        "sample": {"num_train": 6, "num_validation": 4, "num_test": 2, "max_tokens": 40,
                   "num_shards": 1},
        "label": {"num_rollouts": 32, "block_size": 16, "provers": [], "max_unparsed": 1} | label,
        "train": {"steps": 3, "batch_size": 8, "eval_every": 2, "warmup_steps": 1},
        "evaluate": {"num_samples": [1, 2], "best_of_k": [2], "main_k": 2, "alphas": [0.5],
                     "alpha_num_samples": 2, "search_seeds": 1, "other_seeds": 0},
    })  # fmt: skip


def quiet(message, done, total):
    """Progress nobody watches."""


def execute(units, settings, store):
    """Make units as a worker does; return their manifests."""
    made = []
    for unit in units:
        worker = importlib.import_module(UNIT_STAGES[unit.stage].work)
        outcome = worker.open_worker(settings, store, "cpu", quiet)(unit)
        made.append(publish(store, unit, outcome))
    return made


def carried_out(settings, store, names):
    """Do some parts of a run; return stage -> what its units made."""
    made: dict[str, list[Manifest]] = {}
    plan = Plan(settings, store)
    for name in names:
        while todo := plan.part(name).todo:
            for manifest in execute(todo, settings, store):
                made.setdefault(manifest.unit.stage, []).append(manifest)
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return stage -> the manifests of a tiny run, in the order of its plan, and their store."""
    folder = tmp_path_factory.mktemp("tiny")
    family, lessons = domain("countdown"), known_lessons("countdown")
    problems = [family.problem(hand, "24", problem_id="", split="train") for hand in HANDS]
    # The line end is the prompt's last token.
    texts = [
        "\n" + "".join(response)
        for problem in problems
        for response in lessons.demonstrations(problem, limit=1, num_drawn=16, seed=0)
    ]
    policy = save_bigram_policy(folder / "policy", texts)
    settings, store = settings_of(folder, policy), Store(str(folder / "store"))
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = carried_out(settings, store, PARTS)
        budget = settings_of(folder, policy, planner="adaptive", budget=400, rounds=2)
        found["allocate"] = carried_out(budget, store, ("label",))["allocate"]
        found["pretrain"] = pretrained(store, found["problems"][0])
        found["import"] = [imported(settings, store, folder)]
    finally:
        torch.set_num_threads(num_threads)
    return store, found


def pretrained(store, problems):
    sizes = {"num_layers": 1, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2,
             "batch_size": 8, "policies": named_policies(weak=1, base=2, strong=3),
             "warmup_steps": 1}  # fmt: skip
    settings = RunSettings.model_validate({"prepare": sizes})
    return execute(plan_pretrain(settings, problems), settings, store)


def imported(settings, store, folder) -> Manifest:
    row = {"question": "2 12", "answer": "24", "response": "12 * 2 = 24 left 24"}
    (folder / "solutions.jsonl").write_text(json.dumps(row))
    done = bring_in("plain", str(folder / "solutions.jsonl"), settings, store, policy="someone")
    manifest = read_manifest(store, done.unit_id)
    assert manifest is not None
    return manifest


def column_hash(stage):
    """Return the hash of the names and types of all columns that a stage writes."""
    names = UNIT_STAGES[stage].data_sets
    columns = [[name, [[key, str(kind)] for key, kind in SCHEMAS[name].items()]] for name in names]
    return digest(columns, length=20)


def row_hash(store, manifests):
    """Return the hash of all rows that some units made, in their order."""
    tables = []
    for manifest in manifests:
        for file in manifest.files:
            name = file.name.removesuffix(".parquet")
            if name != file.name:
                table = read_table(store, manifest, name).select(pl.exclude("unit_id", "seconds"))
                rounded = table.with_columns(pl.col(pl.Float64).round(2))
                tables.append([name, table.columns, rounded.rows()])
    return digest(tables, length=20)


def test_every_stage_of_units_is_held_but_a_pilot_that_leaves_nothing_and_a_long_bench(made):
    assert set(made[1]) == set(UNIT_STAGES) - {"pilot", "pool"}
    assert set(json.loads(GOLDEN.read_text())) == set(UNIT_STAGES)


def test_a_stage_leaves_the_data_sets_that_the_list_says(made):
    _, found = made
    for stage, manifests in found.items():
        names = {file.name for manifest in manifests for file in manifest.files}
        left = {name.removesuffix(".parquet") for name in names if name.endswith(".parquet")}
        # Here no label is of a tree search, which alone leaves solutions.
        others = {"solutions", "prefixes", "solution_prefixes"} if stage == "label" else set()
        assert left == set(UNIT_STAGES[stage].data_sets) - others


def test_the_policy_of_written_down_weights_is_right_now_and_then(made):
    store, found = made
    verdicts = [value for manifest in found["label"]
                for value in read_table(store, manifest, "rollouts")["verdict"]]  # fmt: skip
    assert {"correct", "wrong"} <= set(verdicts)


@pytest.mark.parametrize("stage", UNIT_STAGES)
def test_what_a_stage_makes_changes_only_with_its_revision(made, stage):
    store, found = made
    present = {"revision": UNIT_STAGES[stage].revision, "columns": column_hash(stage)}
    if stage in found:
        present["rows"] = row_hash(store, found[stage])
    golden = json.loads(GOLDEN.read_text()).get(stage, {})
    where = f"{UNIT_STAGES[stage].plan.removeprefix('pav.').replace('.', '/')}.py"
    if golden.get("revision") != present["revision"]:
        pytest.fail(
            f"REVISION of stage {stage} is new: note it in {GOLDEN.name} as "
            f'"{stage}": {json.dumps(present)}'
        )
    changed = [what for what in present if golden.get(what) != present[what]]
    assert not changed, (
        f"{' and '.join(changed)} of stage {stage} changed: raise REVISION of stage {stage} in "
        f"{where}, or undo; where only constraints.txt changed, note {json.dumps(present)}"
    )
