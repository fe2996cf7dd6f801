"""A hand-made store: three hands, two policies, two runs with a search, all counts known."""

import pytest

from pav.tasks.database.publishing import publish_database
from pav.tasks.database.recorded_runs import record_run
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import publish
from pav.tasks.store.stages import UNIT_STAGES
from pav.tasks.store.store import Store
from pav.tasks.store.units import Outcome, Output, Unit

BASE, WEAK = "b" * 16, "w" * 16
STEP = "13 - 9 = 4 left 4 4 10\n"
GOOD = (STEP, "10 - 4 = 6 left 4 6\n", "6 * 4 = 24 left 24")
BAD = (STEP, "4 * 10 = 40 left 4 40\n", "40 - 4 = 24 left 24")
LOST = ("1 + 1 = 24 left 24",)
# name -> (problem, steps, verdict where terminal)
PREFIXES = {
    "root": ("hand", (), None),
    "first": ("hand", GOOD[:1], None),
    "good2": ("hand", GOOD[:2], None),
    "good3": ("hand", GOOD, "correct"),
    "bad2": ("hand", BAD[:2], None),
    "bad3": ("hand", BAD, "wrong"),
    "ones": ("ones", (), None),
    "lost": ("ones", LOST, "wrong"),
}
# (prefix, policy, seed, block) -> (correct, truncated, failed) of blocks of 4 rollouts
BLOCKS = {
    ("root", BASE, 0, 0): (1, 0, 0), ("root", BASE, 0, 1): (2, 1, 0),
    ("root", BASE, 1, 0): (2, 0, 0), ("first", BASE, 0, 0): (2, 0, 0),
    ("first", BASE, 0, 1): (4, 0, 0), ("good2", BASE, 0, 0): (4, 0, 0),
    ("good2", BASE, 0, 1): (4, 0, 0), ("bad2", BASE, 0, 0): (0, 0, 0),
    ("bad2", BASE, 0, 1): (0, 0, 0), ("ones", BASE, 0, 0): (0, 1, 0),
    ("ones", BASE, 0, 1): (0, 0, 0), ("root", WEAK, 0, 0): (1, 0, 0),
    ("first", WEAK, 0, 0): (1, 0, 0), ("good2", WEAK, 0, 0): (3, 0, 0),
    ("bad2", WEAK, 0, 0): (0, 0, 0), ("ones", WEAK, 0, 0): (0, 0, 1),
}  # fmt: skip


def put(store, stage, name, tables, cost=None, **parameters):
    """Publish a unit that made these rows; every row names it."""
    unit = Unit(stage, name, UNIT_STAGES[stage].revision, {"name": name, **parameters})
    outputs = []
    for data_set, rows in tables.items():
        table = frame(data_set, [row | {"unit_id": unit.unit_id} for row in rows])
        outputs.append(Output(f"{data_set}.parquet", to_parquet(data_set, table), len(rows)))
    return publish(store, unit, Outcome(tuple(outputs), cost or {}))


def problem(problem_id, question, split):
    return {
        "problem_id": problem_id, "domain": "countdown", "question": question, "answer": "24",
        "answer_source": "program", "split": split, "source": "embedded",
        "canonical_key": f"{question} -> 24",
    }  # fmt: skip


def prefix(name):
    problem_id, steps, verdict = PREFIXES[name]
    owner = "lost" if problem_id == "ones" else "wrong" if name.startswith("bad") else "right"
    return {
        "prefix_id": name, "problem_id": problem_id, "solution_id": owner,
        "num_steps": len(steps), "num_characters": len("".join(steps)),
        "num_tokens": 9 * len(steps), "is_terminal": verdict is not None, "verdict": verdict,
    }  # fmt: skip


def solution(name, problem_id, steps, verdict, reason=""):
    return {
        "solution_id": name, "problem_id": problem_id, "policy_id": BASE, "sample": 0,
        "steps": list(steps), "text": "".join(steps), "num_steps": len(steps), "verdict": verdict,
        "reason": reason, "wrong_step": None, "finish_reason": "stop", "num_tokens": 30, "seed": 0,
    }  # fmt: skip


def path(solution_id, *names):
    return [
        {"solution_id": solution_id, "num_steps": number, "prefix_id": name}
        for number, name in enumerate(names)
    ]


def block(key, counts):
    (prefix_id, policy_id, seed, number), (correct, truncated, failed) = key, counts
    return {
        "prefix_id": prefix_id, "policy_id": policy_id, "seed": seed, "block": number,
        "num_rollouts": 4 - failed, "num_correct": correct, "num_truncated": truncated,
        "num_unparsed": 0, "num_failed": failed, "generated_tokens": 40, "stopping_rule": "fixed",
    }  # fmt: skip


def rollout(prefix_id, number, verdict):
    return {
        "prefix_id": prefix_id, "policy_id": BASE, "seed": 0, "block": 0, "rollout": number,
        "steps": list(GOOD[1:]), "verdict": verdict, "reason": "", "wrong_step": None,
        "finish_reason": "stop", "num_tokens": 10,
    }  # fmt: skip


def searched(strategy, seed, is_correct, **more):
    return {
        "search_id": f"{strategy} {seed}", "policy_id": BASE,
        "strategy": strategy, "verifier": "", "prover": "", "alpha": 0.0, "num_samples": 1,
        "split": "test", "problem_id": "twelve", "pipeline_seed": 0, "seed": seed,
        "final_pick": "", "is_correct": is_correct, "is_any_correct": True,
        "num_candidates": 1, "generated_tokens": 30, "scored_prefixes": 0, "scored_tokens": 0,
        "seconds": 0.5,
    } | more  # fmt: skip


def scored(number, score, correct, rollouts):
    return {
        "verifier": "q", "solution_id": "right", "problem_id": "hand", "split": "train",
        "num_steps": number, "prefix_id": "first", "score": score, "num_correct": correct,
        "num_rollouts": rollouts, "is_terminal": False, "pipeline_seed": 0,
    }  # fmt: skip


def look(step, loss):
    return {
        "name": "q", "pipeline_seed": 0, "step": step, "train_loss": loss + 0.1,
        "validation_loss": loss, "learning_rate": 0.001,
    }  # fmt: skip


def fill(store):
    """Publish every unit of the hand-made store and record its two runs."""
    problems = put(
        store,
        "problems",
        "problems",
        {
            "problems": [
                problem("hand", "4 9 10 13", "train"),
                problem("ones", "1 1 1 1", "train"),
                problem("twelve", "1 2 3 4", "test"),
            ]
        },
        {"seconds": 0.5},
    )
    right = solution("right", "hand", GOOD, "correct")
    wrong = solution("wrong", "hand", BAD, "wrong", "wrong arithmetic at step 3")
    lost = solution("lost", "ones", LOST, "wrong", "wrong arithmetic at step 1")
    joined = [*path("right", "root", "first", "good2", "good3"),
              *path("wrong", "root", "first", "bad2", "bad3")]  # fmt: skip
    own = [prefix(name) for name, (problem_id, _, _) in PREFIXES.items() if problem_id == "hand"]
    rows = {"solutions": [right, wrong], "solution_prefixes": joined, "prefixes": own}
    sampled = [
        put(store, "sample", "hand", rows, {"seconds": 2.0, "generated_tokens": 60},
            policies={"base": BASE}),
        # The same solution, prefixes and steps again, as a run with other settings makes them.
        put(store, "sample", "again", rows | {"solutions": [right]}, {"seconds": 1.0},
            policies={"base": BASE}),
        put(store, "sample", "ones", {
            "solutions": [lost], "solution_prefixes": path("lost", "ones", "lost"),
            "prefixes": [prefix("ones"), prefix("lost")],
        }),
    ]  # fmt: skip
    rolled = [rollout("first", 0, "correct"), rollout("first", 1, "wrong")]
    labelled = [
        put(store, "label", role, {
            "label_blocks": [block(*each) for each in BLOCKS.items() if each[0][1] == policy_id],
            "rollouts": rolled if role == "base" else [],
        }, {"seconds": 4.0, "generated_tokens": 100})
        for role, policy_id in (("base", BASE), ("weak", WEAK))
    ]  # fmt: skip
    trained = put(store, "train", "q", {
        "scores": [scored(1, 0.25, 1, 4), scored(2, 0.29, 2, 4), scored(3, 1.0, 4, 4),
                   scored(4, 0.9, 0, 0)],
        "training_runs": [look(100, 0.5), look(200, 0.3), look(300, 0.4)],
    })  # fmt: skip
    singles = put(store, "evaluate", "single", {
        "search_results": [searched("single", 0, False), searched("single", 1, True)],
    })  # fmt: skip
    best = put(store, "evaluate", "best", {
        "search_results": [searched("best_of_n", 0, True, verifier="orm_all", num_samples=4,
                                    final_pick="orm", num_candidates=4, generated_tokens=120,
                                    scored_prefixes=4, scored_tokens=150)],
        "final_picks": [{"search_id": "best_of_n 0", "pick": pick, "is_correct": pick == "orm"}
                        for pick in ("orm", "q_last")],
    })  # fmt: skip
    policies = [
        {"name": "weak", "policy_id": WEAK, "parent_policy_id": "from scratch", "round": 0,
         "checkpoint": "data/weak", "unit_id": "pretrain-1"},
        {"name": "base", "policy_id": BASE, "parent_policy_id": WEAK, "round": 0, "steps": 900,
         "checkpoint": "data/base", "unit_id": "pretrain-1"},
    ]  # fmt: skip
    verifiers = [{"name": "q", "pipeline_seed": 0, "kind": "q", "policy_id": BASE,
                  "checkpoint": "data/q/model", "unit_id": trained.unit.unit_id,
                  "auc": 0.9}]  # fmt: skip
    first = [unit.unit.unit_id for unit in [problems, *sampled, *labelled, trained, singles]]
    for run_id, unit_ids in (("run-1", first), ("run-2", [*first, best.unit.unit_id])):
        record_run(store, run_id, unit_ids=unit_ids,
                   settings={"train": {"steps": 300}, "runner": {"device_hour_price": 9.0}},
                   policies=policies, verifiers=verifiers)  # fmt: skip


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """The hand-made store with its database; read only for tests."""
    made = Store(str(tmp_path_factory.mktemp("handmade")))
    fill(made)
    publish_database(made)
    return made


@pytest.fixture
def own_store(tmp_path):
    """A hand-made store of its own, for tests that change it; not yet published."""
    made = Store(str(tmp_path / "store"))
    fill(made)
    return made


@pytest.fixture(scope="session")
def ask(store):
    """Rows, as dicts, of a saved query or SQL on the hand-made store."""
    from pav.tasks.database import queries

    return lambda question: queries.ask(store, question).to_dicts()
