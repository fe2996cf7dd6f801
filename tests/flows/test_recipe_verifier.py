"""A package adds a kind of verifier: it is trained, scored, described and reported beside pav's."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForTokenClassification, AutoTokenizer

from pav.models import plugins
from pav.models.domains import domain
from pav.tasks.engine.scorer import segment_logits, segments
from pav.tasks.engine.tokens import Codec
from pav.tasks.problems.published import read_problems
from pav.tasks.store.manifests import find_many, read_table
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef, Unit
from pav.tasks.train.data import encode, make_examples, read_published
from pav.tasks.train.plan import TrainWork
from tests.flows.conftest import Pav, Results
from tests.plugin_package import installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RECIPE = sorted((Path(__file__).parents[1] / "recipes/verifier").glob("*.py"))
POINTS = {
    "pav.verifiers": {"hard": "hard_verifier:HARD"},
    "pav.settings": {"hard": "hard_settings:HardSettings"},
}
KNOB = "plugins.hard.fewest_right"


class Extended(Results):
    """The smoke store after a run with the plug-in, and the manifest of its network."""

    def __init__(self, path, site, run):
        super().__init__(path)
        self.site, self.pav, self.run = site, Pav(path.parent, plugins=str(site)), run
        [self.record] = [
            record
            for record in (json.loads(each.read_text()) for each in self.manifests("train"))
            if record["unit"]["parameters"]["verifier"] == "hard"
        ]
        found = self.record["unit"]
        inputs = {name: InputRef(**ref) for name, ref in found["inputs"].items()}
        self.unit = Unit("train", found["name"], found["revision"], found["parameters"], inputs)
        self.store = Store(str(path))
        self.manifest = find_many(self.store, [self.unit])[self.unit.unit_id]

    @property
    def folder(self):
        [config] = [f["path"] for f in self.record["files"] if f["name"] == "model/config.json"]
        return (self.path / config).parent

    def sql(self, query):
        answer = self.pav("sql", query, "--format", "json", "--store", self.path)
        assert answer.status == 0, answer.err
        return json.loads(answer.out)


@pytest.fixture(scope="module")
def extended(smoke, tmp_path_factory, prefect_api):
    folder = tmp_path_factory.mktemp("verifier")
    site = installed(folder / "site", *RECIPE, points=POINTS)
    path = Path(shutil.copytree(smoke.path, folder / "store"))
    arguments = ["run", "smoke", "--store", path, "--set", f"{KNOB}=2", "--json"]
    run = Pav(folder, plugins=str(site), api=prefect_api)(*arguments)
    assert run.status == 0, run.err
    return Extended(path, site, run)


def test_the_recipe_opens_four_files():
    pyproject, test = 1, 1
    assert len(RECIPE) + pyproject + test == 4


def test_its_network_alone_is_trained(smoke, extended):
    made = {name: part["made"] for name, part in extended.run.summary.items() if part["made"]}
    assert {name: count for name, count in made.items() if name != "report"} == {"train": 1}
    before, after = (
        {path.name for path in store.manifests("train")} for store in (smoke, extended)
    )
    assert after - before == {f"{extended.unit.unit_id}.json"}
    contents = extended.contents("train")
    assert smoke.contents("train").items() < contents.items()


def test_its_knob_is_part_of_the_unit(extended):
    assert extended.unit.parameters["knobs"] == {"fewest_right": 2}

    def missing(*options):
        told = extended.pav("status", "smoke", "--json", "--store", extended.path, *options).out
        parts = {part["part"]: part for part in json.loads(told)["parts"]}
        return parts["train"]["missing"]

    assert missing("--set", f"{KNOB}=2") == 0
    assert missing() == 1
    refused = extended.pav("run", "smoke", "--store", extended.path, "--set", f"{KNOB}=0")
    assert refused.status == 2
    assert f"{KNOB}=0" in refused.err


@pytest.fixture
def trained(extended, monkeypatch):
    """The work, tables and problems of the network, with the plug-in installed here too."""
    monkeypatch.syspath_prepend(extended.site)
    plugins.plugin_points.cache_clear()
    problems = read_problems(extended.store, extended.unit.inputs["problems"].unit_id)
    yield TrainWork.of(extended.unit), read_published(extended.store, extended.unit), problems
    for name in ("hard_verifier", "hard_settings"):
        sys.modules.pop(name, None)
    plugins.plugin_points.cache_clear()


def test_it_was_fitted_to_its_own_targets_by_its_own_loss(extended, trained):
    work, published, problems = trained
    validation = make_examples(work, published, problems).validation
    values = np.concatenate([each.targets for each in validation])
    assert set(np.unique(values)) == {0.0, 1.0}
    tokenizer = AutoTokenizer.from_pretrained(extended.folder)
    encoded = encode(Codec(tokenizer, domain("countdown"), problems), validation)
    outputs = np.concatenate(segment_logits(
        AutoModelForTokenClassification.from_pretrained(extended.folder).eval(),
        [segments(each.token_ids, each.ends) for each in encoded], score_tokens=4096,
    ))  # fmt: skip
    weights = np.concatenate([each.weights for each in encoded])
    squared = (weights * (outputs - values) ** 2).sum() / weights.sum()
    crossed = np.logaddexp(0, outputs) - values * outputs
    looks = read_table(extended.store, extended.manifest, "training_runs")
    assert looks["validation_loss"].min() == pytest.approx(squared, rel=0.02)
    assert abs((weights * crossed).sum() / weights.sum() - squared) > 0.1
    learned = looks.sort("step")["train_loss"].to_list()
    assert learned[-1] < learned[0]


def test_its_knob_moves_its_targets(trained):
    work, published, problems = trained

    def mean(fewest_right):
        changed = work.model_copy(update={"knobs": {"fewest_right": fewest_right}})
        sequences = make_examples(changed, published, problems).training
        return np.concatenate([each.targets for each in sequences]).mean()

    assert mean(1) > mean(2) > mean(4)


def test_its_scores_and_metrics_are_in_the_database(extended):
    rows = extended.sql(
        "select split, count(*) as n, count(distinct solution_id) as solutions, min(score) as low,"
        " max(score) as high, count(num_rollouts) as labelled from scores"
        " where verifier = 'hard' group by split"
    )
    assert {row["split"] for row in rows} == {"validation", "test"}
    q = extended.sql("select count(*) as n from scores where verifier = 'q'")[0]["n"]
    assert sum(row["n"] for row in rows) == q
    for row in rows:
        assert 0 <= row["low"] < row["high"] <= 1
        # Hard estimates are no values: verdicts alone are held against them.
        assert row["labelled"] <= row["solutions"]
    assert extended.sql("select kind from verifiers where name = 'hard'") == [{"kind": "hard"}]
    assert "hard" in {row["verifier"] for row in extended.sql("calibration")}
    details = json.loads((extended.folder / "pav_verifier.json").read_text())
    assert details["metrics"]["test"]["hard"].keys() >= {"auc", "brier", "ece"}
    assert extended.sql("select count(*) as n from training_runs where name = 'hard'")[0]["n"] > 0
    assert extended.pav("check", "--store", extended.path).status == 0


def test_its_card_has_its_sentences_and_code_that_gives_the_stored_scores(extended, monkeypatch):
    card = (extended.folder / "README.md").read_text()
    assert "it estimates the chance that at least 2 of a prefix's rollouts are right." in card
    assert "- Loss: squared error, all step ends" in card
    assert "- A hard estimate grows with the number of rollouts" in card
    [code] = re.findall(r"^```python\n(.*?)^```", card, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(extended.folder)
    names: dict[str, Any] = {}
    exec(code, names)
    told = json.loads(re.findall(r"^It prints `(\[.*\])`", card, re.MULTILINE)[0])
    assert names["scores"] == pytest.approx(told, abs=1e-4)


def test_it_stands_in_the_reports_table_of_verifiers(extended):
    [path] = [
        path
        for path in (extended.path / "runs").glob("*/results.json")
        if "hard" in {row["verifier"] for row in json.loads(path.read_text())["verifiers"]}
    ]
    rows = json.loads(path.read_text())["verifiers"]
    assert {"q", "orm_all", "hard"} <= {row["verifier"] for row in rows}
    assert "<td>hard estimation</td>" in re.sub(
        r"<td[^>]*>", "<td>", path.with_name("report.html").read_text()
    )


def test_others_score_solutions_with_it_where_its_package_is_installed(extended, pav, tmp_path):
    card = (extended.folder / "README.md").read_text()
    prompt, steps = (
        json.loads(re.findall(rf"^{name} = (.*)$", card, re.MULTILINE)[0])
        for name in ("prompt", "steps")
    )
    file = tmp_path / "solutions.jsonl"
    file.write_text(json.dumps({"prompt": prompt, "steps": steps}) + "\n")
    arguments = ["score", file, "--verifier", extended.folder]
    scored = extended.pav(*arguments)
    assert scored.status == 0, scored.err
    told = json.loads(re.findall(r"^It prints `(\[.*\])`", card, re.MULTILINE)[0])
    rows = [json.loads(line) for line in scored.out.splitlines()]
    scores = [row["score"] for row in rows if "score" in row]
    assert scores == pytest.approx(told, abs=1e-4)
    refused = pav(*arguments)
    assert refused.status == 2
    assert "got 'hard'; install the package that adds it" in refused.err
