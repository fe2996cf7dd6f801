"""A store with samples and labels of a policy that was trained for seconds."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM

from pav.models.domains import domain
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings, RunSettings
from pav.tasks.label import work as labelling
from pav.tasks.label.plan import plan_labelling
from pav.tasks.prepare import work as pretraining
from pav.tasks.prepare.exercises import known_lessons
from pav.tasks.prepare.plan import plan_pretrain
from pav.tasks.prepare.policies import resolve_policies
from pav.tasks.problems.published import read_problems
from pav.tasks.sample import work as sampling
from pav.tasks.sample.plan import plan_sampling
from pav.tasks.store.datasets import frame, to_parquet
from pav.tasks.store.manifests import checkpoint_folder, publish, read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Outcome, Output, Unit
from pav.tasks.train import work as training
from pav.tasks.train.plan import plan_training
from tests.policies import named_policies

HANDS = {
    "train": ["1 2 3 4", "6 6 6 6", "2 2 3 4", "1 1 4 6", "2 4 6 12", "2 3 4 6", "4 4 4 6"],
    "validation": ["1 2 4 6", "1 3 4 6", "2 2 4 6"],
    "test": ["4 9 10 13", "1 4 4 6", "2 3 6 6"],
}
SETTINGS = RunSettings.model_validate(
    {
        "prepare": PrepareSettings(
            num_layers=1, hidden_size=32, intermediate_size=64, num_heads=2, batch_size=32,
            learning_rate=1e-2, warmup_steps=2,
            policies=named_policies(weak=40, base=100, strong=100),
        ).model_dump(),
        "engine": {"dtype": "float32"},
        "sample": {"max_tokens": 48, "num_shards": 1},
        "label": {"provers": ["weak"], "num_rollouts": 8, "num_prover_rollouts": 8},
        "train": {"steps": 40, "prover_steps": 10, "batch_size": 16, "eval_every": 10,
                  "learning_rate": 3e-3, "warmup_steps": 2},
    }
)  # fmt: skip


def silent(message: str, done: float, total: float) -> None:
    pass


def published_problems(store: Store) -> Manifest:
    family = domain("countdown")
    names = ("problem_id", "domain", "question", "answer", "answer_source", "split", "source",
             "canonical_key")  # fmt: skip
    rows = []
    for split, hands in HANDS.items():
        for hand in hands:
            problem = family.problem(hand, "24", problem_id="", split=split)
            rows.append({name: getattr(problem, name) for name in names} | {"unit_id": "p"})
    table = to_parquet("problems", frame("problems", rows))
    outcome = Outcome((Output("problems.parquet", table, len(rows)),))
    return publish(store, Unit("problems", "problems", 1), outcome)


class World:
    """Samples and labels of a briefly trained policy, in a store."""

    settings = SETTINGS

    def __init__(self, root: Path) -> None:
        self.store = Store(str(root))
        problems = published_problems(self.store)
        [pretrained] = self.made(pretraining, plan_pretrain(SETTINGS, problems))
        self.policies = resolve_policies(SETTINGS, self.store, pretrained)
        self.problems = read_problems(self.store, problems.unit.unit_id)
        self.samples = self.made(sampling, plan_sampling(
            SETTINGS, pipeline_seed=0, problems=self.problems, problems_manifest=problems,
            policies=self.policies,
        ))  # fmt: skip
        self.labels = self.made(labelling, plan_labelling(
            SETTINGS, policies=self.policies, sample_manifests=self.samples
        ))  # fmt: skip

    def made(self, stage: Any, units: Iterable[Unit]) -> list[Manifest]:
        execute = stage.open_worker(self.settings, self.store, "cpu", silent)
        return [publish(self.store, unit, execute(unit)) for unit in units]

    def units(self, settings: RunSettings = SETTINGS) -> dict[str, Unit]:
        planned = plan_training(
            settings, pipeline_seed=0, policies=self.policies, sample_manifests=self.samples,
            label_manifests=self.labels,
        )  # fmt: skip
        return {unit.parameters["verifier"]: unit for unit in planned}


def teach(path: Path, *, steps: int) -> str:
    """Save a policy that knows a few responses to the hands by heart, more or less."""
    tokenizer, family = build_tokenizer(), domain("countdown")
    lessons = known_lessons("countdown")
    sizes = PrepareSettings(num_layers=1, hidden_size=32, intermediate_size=64, num_heads=2)
    torch.manual_seed(0)
    model = LlamaForCausalLM(build_config(sizes, tokenizer))
    problems = [
        family.problem(hand, "24", problem_id="", split=split)
        for split, hands in HANDS.items()
        for hand in hands
    ]
    texts = [
        family.prompt(problem) + "".join(response)
        for problem in problems
        for response in lessons.demonstrations(problem, limit=2, num_drawn=16, seed=0)
    ]
    ids = [
        [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
        for text in texts
    ]
    batch = tokenizer.pad({"input_ids": ids}, return_tensors="pt")
    labels = batch.input_ids.masked_fill(batch.attention_mask == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        model(**batch, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


class TaughtWorld(World):
    """Samples of a policy that is often right on the very hands it was taught."""

    def __init__(self, root: Path) -> None:
        self.store = Store(str(root / "store"))
        folder = teach(root / "taught", steps=180)
        values = SETTINGS.model_dump()
        values["prepare"]["policies"] = named_policies(base=folder, weak=folder, strong=folder)
        values["sample"] |= {"num_train": 12, "num_validation": 4, "num_test": 2}
        values["label"]["provers"] = ()
        self.settings = RunSettings.model_validate(values)
        problems = published_problems(self.store)
        self.policies = resolve_policies(self.settings, self.store, None)
        self.problems = read_problems(self.store, problems.unit.unit_id)
        self.samples = self.made(sampling, plan_sampling(
            self.settings, pipeline_seed=0, problems=self.problems, problems_manifest=problems,
            policies=self.policies,
        ))  # fmt: skip


class TrainedWorld(TaughtWorld):
    """Labels and a Q network of the taught policy; scores differ, as it is right now and then."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.labels = self.made(labelling, plan_labelling(
            self.settings, policies=self.policies, sample_manifests=self.samples
        ))  # fmt: skip
        [self.manifest] = self.made(training, [self.units(self.settings)["q"]])
        self.folder = checkpoint_folder(self.store, self.manifest, "model")

    def scored_solutions(self):
        """Yield (problem, steps, whether finished, scores) of every held-out solution."""
        scores = read_table(self.store, self.manifest, "scores").sort("num_steps")
        sampled = [read_table(self.store, each, "solutions") for each in self.samples]
        for row in (row for table in sampled for row in table.iter_rows(named=True)):
            mine = scores.filter(solution_id=row["solution_id"])["score"].to_list()
            if mine:
                is_finished = row["finish_reason"] == "stop"
                yield self.problems[row["problem_id"]], tuple(row["steps"]), is_finished, mine
