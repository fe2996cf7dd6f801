"""The report: a page that opens offline, with every number it was given and none made up."""

import html
import itertools
import json
import math
import random
import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from pav.models.domains.countdown import Countdown, is_solvable_prefix
from pav.models.domains.countdown_solver import is_solvable, legal_moves
from pav.models.domains.countdown_text import format_steps
from pav.models.hashing import digest
from pav.models.metrics import metrics_table
from pav.models.records import Prefix
from pav.models.settings import RunSettings
from pav.tasks.artifacts import artifact_key, claims_markdown, table_records
from pav.tasks.datasets import frame
from pav.tasks.examples import ExampleTables, worked_examples
from pav.tasks.planning import StageReport
from pav.tasks.prefix_tables import with_steps
from pav.tasks.report_inputs import ReportInputs
from pav.tasks.report_tables import dataset_table, timing_table
from pav.tasks.report_words import claims, label_words, limits
from pav.tasks.reporting import example_rows, render, report_context, signed, write_report
from pav.tasks.store import Store
from pav.tasks.truth_check import truth_check

DOMAIN = Countdown()
KEYS = {
    "solutions": ["solution_id"],
    "prefixes": ["prefix_id"],
    "solution_prefixes": ["solution_id", "num_steps"],
    "label_blocks": ["prefix_id", "policy_id"],
}
SHIFTS = {"base": 0.0, "weak": -1.0, "strong": 1.0}


def invented_problems(num_problems, rng):
    """Solvable hands of four numbers, an eighth for validation and a quarter for test."""
    hands = itertools.combinations_with_replacement(range(1, 14), 4)
    solvable = [hand for hand in rng.sample(list(hands), 3 * num_problems) if is_solvable(hand, 24)]
    splits = ["validation", "test", "test", "train", "train", "train", "train", "train"]
    return [
        DOMAIN.problem(" ".join(map(str, hand)), "24", problem_id="", split=splits[place % 8])
        for place, hand in enumerate(solvable[:num_problems])
    ]


def invented_solution(problem, rng):
    """A walk of legal moves; half the time a last step that fails is made to pretend 24."""
    numbers, path = tuple(sorted(map(int, problem.question.split()))), []
    while len(numbers) > 1:
        moves = legal_moves(numbers)
        good = [move for move in moves if is_solvable(move.left, 24)]
        path.append(rng.choice(good if good and rng.random() < 0.75 else moves))
        numbers = path[-1].left
    steps = list(format_steps(tuple(path)))
    if numbers[0] != 24 and rng.random() < 0.5:
        steps[-1] = f"{path[-1].a} {path[-1].op} {path[-1].b} = 24 left 24"
    return tuple(steps)


def chance(problem, prefix, shift):
    """An invented value: 0 where the solver sees no way, else rising with each step."""
    if not is_solvable_prefix(problem, prefix):
        return 0.0
    difficulty = random.Random(problem.problem_id).gauss(0, 0.8)
    return 1 / (1 + math.exp(1.6 - difficulty - shift - 1.1 * len(prefix.steps)))


def invented_inputs(num_problems=40):
    """Tables of a run with true solver verdicts and invented chances, labels and scores."""
    rng = random.Random(7)
    problems = invented_problems(num_problems, rng)
    tables = {name: [] for name in ("solutions", "prefixes", "solution_prefixes", "label_blocks")}
    scores = []
    for problem, sample in itertools.product(problems, range(2)):
        steps = invented_solution(problem, rng)
        whole = Prefix(problem.problem_id, steps, is_finished=True)
        grading = DOMAIN.grade(problem, whole)
        solution_id = digest([problem.problem_id, sample], length=20)
        tables["solutions"].append(
            {
                "solution_id": solution_id, "problem_id": problem.problem_id, "policy_id": "base",
                "sample": sample, "steps": steps, "text": whole.text, "num_steps": len(steps),
                "verdict": str(grading.verdict), "reason": grading.reason,
                "wrong_step": grading.wrong_step, "finish_reason": "stop", "num_tokens": 30,
                "seed": 0, "unit_id": "sample-0",
            }
        )  # fmt: skip
        for count in range(len(steps) + 1):
            prefix = Prefix(problem.problem_id, steps[:count], is_finished=count == len(steps))
            prefix_id = digest([problem.problem_id, prefix.text, prefix.is_finished], length=20)
            tables["prefixes"].append(
                {
                    "prefix_id": prefix_id, "problem_id": problem.problem_id,
                    "solution_id": solution_id, "num_steps": count,
                    "num_characters": len(prefix.text), "num_tokens": 10 * count,
                    "is_terminal": prefix.is_finished, "unit_id": "sample-0",
                    "verdict": str(grading.verdict) if prefix.is_finished else None,
                }
            )  # fmt: skip
            tables["solution_prefixes"].append(
                {"solution_id": solution_id, "num_steps": count, "prefix_id": prefix_id}
            )
            for policy, verifier in (("base", "q"), ("weak", "q_weak"), ("strong", "q_strong")):
                share = chance(problem, prefix, SHIFTS[policy])
                correct = sum(rng.random() < share for _ in range(16))
                if prefix.is_finished:
                    correct = int(grading.verdict == "correct")
                else:
                    tables["label_blocks"].append(
                        {
                            "prefix_id": prefix_id, "policy_id": policy, "seed": 0, "block": 0,
                            "num_rollouts": 16, "num_correct": correct, "num_truncated": 0,
                            "num_unparsed": 0, "num_failed": 0, "generated_tokens": 300,
                            "stopping_rule": "fixed", "unit_id": "label-0",
                        }
                    )  # fmt: skip
                logit = math.log(max(share, 0.03) / max(1 - share, 0.03)) + rng.gauss(0, 0.9)
                row = {
                    "solution_id": solution_id, "problem_id": problem.problem_id,
                    "split": problem.split, "num_steps": count, "prefix_id": prefix_id,
                    "num_correct": correct, "is_terminal": prefix.is_finished,
                    "num_rollouts": 1 if prefix.is_finished else 16, "pipeline_seed": 0,
                    "unit_id": "train-0",
                }  # fmt: skip
                if problem.split != "train":
                    scores.append(
                        {**row, "verifier": verifier, "score": 1 / (1 + math.exp(-logit))}
                    )
                if problem.split != "train" and prefix.is_finished and verifier == "q":
                    scores += [
                        {**row, "verifier": name, "score": 1 / (1 + math.exp(-logit - tilt))}
                        for name, tilt in (("orm_all", 0.2), ("orm_seed", -0.3))
                    ]
    results = {
        **invented_results(),
        "truth": truth_check(
            problem_frame(problems),
            with_steps(
                frame("prefixes", tables["prefixes"]), frame("solutions", tables["solutions"])
            ),
            frame("label_blocks", tables["label_blocks"]),
        ).to_record(),
        "verifiers": metrics_table(frame("scores", scores), by=("verifier", "split")).to_dicts(),
    }
    return ReportInputs(
        settings=RunSettings(),
        results=results,
        stages=(
            StageReport("problems", 1, 1, 0, 0.0, ("problems",)),
            StageReport("sample", 8, 8, 0, 0.0, ("prefixes", "solution_prefixes", "solutions")),
            StageReport("label", 48, 40, 8, 91.4, ("label_blocks", "rollouts")),
            StageReport("train", 6, 0, 6, 210.8, ("model", "scores", "training_runs")),
        ),
        problems=problem_frame(problems),
        search_results=frame("search_results", []),
        scores=frame("scores", scores),
        training_runs=invented_training(),
        **{
            name: frame(name, rows).unique(KEYS[name], maintain_order=True)
            for name, rows in tables.items()
        },
    )


def problem_frame(problems):
    names = ("problem_id", "domain", "question", "answer", "answer_source", "split", "source")
    rows = [
        {**{name: getattr(problem, name) for name in names}, "canonical_key": problem.canonical_key}
        for problem in problems
    ]
    return frame("problems", rows)


def invented_training():
    rows = [
        {
            "name": name, "pipeline_seed": 0, "step": step, "train_loss": 0.7 * 0.998**step + 0.3,
            "validation_loss": 0.6 * 0.998**step + 0.36, "learning_rate": 1e-3, "unit_id": "t",
        }
        for name in ("policy", "orm_all", "orm_seed", "q", "q_weak", "q_strong")
        for step in range(0, 1500, 150)
    ]  # fmt: skip
    return frame("training_runs", rows)


def invented_results():
    """Arms whose accuracy rises with N, comparisons for, against and open."""
    provers = {"bo2": 0.07, "bo4": 0.11, "bo8": 0.1, "bo16": 0.06, "weak": 0.07, "strong": 0.08}
    kinds = [
        ("best_of_n", "orm", "", 0.0), ("best_of_n", "orm_seed", "", -0.04),
        ("best_of_n", "pav", "bo4", 0.0), ("best_of_n", "q", "", -0.02),
        ("best_of_n", "q_product", "", 0.01), ("beam", "q", "", 0.06),
        *(("beam", "pav", prover, gain) for prover, gain in provers.items()),
    ]  # fmt: skip
    arms = [invented_arm("single", "", "", 1, 0.174)]
    for (strategy, verifier, prover, gain), count in itertools.product(kinds, (1, 4, 16, 64)):
        accuracy = min(0.97, 0.174 + (0.62 + gain) * (math.log(count) / math.log(64)) ** 0.8)
        arms.append(invented_arm(strategy, verifier, prover, count, accuracy))
    orm, q = "the better ORM's best-of-", "the Q beam at "
    return {
        "confidence": 0.95,
        "num_test_problems": 262,
        "num_pipeline_seeds": 3,
        "arms": arms,
        "better_orm": "orm",
        "comparisons": [
            comparison(f"PAV beam at 64 against {orm}64", 0.083, (0.041, 0.124), (0.02, 0.14)),
            comparison(f"PAV beam at 64 against {q}64", -0.042, (-0.071, -0.011), None),
            comparison(f"PAV beam at 16 against {orm}16", 0.031, (-0.012, 0.071), (-0.03, 0.09)),
        ],
        "other_comparisons": [comparison(f"Q beam at 64 against {orm}64", 0.02, (0.0, 0.04), None)],
        "compute": [
            {
                "arm": arm, "matches": "orm best-of-64", "accuracy": 0.794, "candidates": needed,
                "candidate_ratio": needed and 64 / needed, "candidate_ratio_low": 0.0,
                "candidate_ratio_high": 3.4, "generated_tokens_ratio": needed and 2.1,
                "all_tokens_ratio": needed and 1.8, "width_ratio": needed and 8.4,
            }
            for arm, needed in (("beam pav bo4", 26.4), ("beam q", None))
        ],
        "choices": [
            {
                "pipeline_seed": 0, "strategy": "beam", "verifier": "pav", "prover": "bo4",
                "final_pick": "orm", "alpha": 0.5,
            }
        ],
        "validation": [
            {
                "prover": "bo4", "alpha": alpha, "num_samples": 16, "num_problems": 100,
                "accuracy": 0.8 - 0.2 * (alpha - 0.5) ** 2, "pass_rate": 0.9,
            }
            for alpha in (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)
        ],
        "wall_seconds": 812.0,
        "unit_seconds": {"label": 410.0, "train": 210.8},
        "never_solved": [
            {"question": "1 1 4 6", "split": "test", "num_solutions": 2, "num_rollouts": 48}
        ],
        "coverage": [
            {
                "num_seeds": 3, "num_problems": 262, "seed_sd_logits": spread,
                "over_problems": 0.95 - spread, "over_seeds": 0.95, "over_both": 0.97,
            }
            for spread in (0.0, 0.2)
        ],
    }  # fmt: skip


def invented_arm(strategy, verifier, prover, num_samples, accuracy):
    reached = min(0.995, accuracy + 0.02 * math.log2(2 * num_samples))
    is_main = (strategy, verifier, prover) in {("beam", "q", ""), ("beam", "pav", "bo4")}
    return {
        "strategy": strategy, "verifier": verifier, "prover": prover,
        "alpha": 0.5 if verifier == "pav" else 0.0, "num_samples": num_samples,
        "accuracy": accuracy, "low": accuracy - 0.04, "high": min(1.0, accuracy + 0.035),
        "accuracy_q_last": accuracy - 0.05, "accuracy_q_product": accuracy - 0.03,
        "accuracy_orm": accuracy, "accuracy_q_likely": accuracy + 0.01,
        "accuracy_orm_likely": accuracy + 0.02, "pass_rate": reached,
        "generated_tokens": 34.0 * num_samples * (0.8 if prover else 1),
        "scored_tokens": 61.0 * num_samples, "seconds": 0.004 * num_samples,
        "num_pipeline_seeds": 1, "num_search_seeds": 3 if is_main else 1,
        "final_pick": "orm" if strategy == "beam" else "",
    }  # fmt: skip


def comparison(label, difference, interval, of_seeds):
    low, high = interval
    t_low, t_high = of_seeds or (None, None)
    return {
        "label": label, "difference": difference, "low": low, "high": high,
        "t_low": t_low, "t_high": t_high, "both_low": t_low, "both_high": t_high,
        "num_seeds": 3 if of_seeds else 1, "excludes_zero": low > 0 or high < 0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def inputs():
    return invented_inputs()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def written(inputs, store):
    return write_report(store, "run-1", inputs)


@pytest.fixture(scope="module")
def page(store, written):
    return store.read_bytes(written.report).decode()


@pytest.fixture(scope="module")
def bare(inputs):
    """What the page of a run shows that only took single samples."""
    arms = [arm for arm in inputs.results["arms"] if arm["strategy"] == "single"]
    nothing = ("comparisons", "other_comparisons", "compute", "verifiers", "validation")
    results = {**inputs.results, "arms": arms, "truth": None, **{name: [] for name in nothing}}
    empty = replace(
        inputs,
        results=results,
        scores=inputs.scores.clear(),
        label_blocks=inputs.label_blocks.clear(),
        training_runs=inputs.training_runs.clear(),
        stages=(),
    )
    return report_context("bare", empty)


class Links(HTMLParser):
    """Every address that a page asks a browser to load, and every id and anchor."""

    def __init__(self):
        super().__init__()
        self.loaded, self.ids, self.anchors, self.images = [], [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        if tag == "a":
            self.anchors.append(found["href"])
        elif tag == "img":
            self.images.append(found)
        else:
            self.loaded += [found[name] for name in ("src", "href") if name in found]


@pytest.fixture(scope="module")
def links(page):
    parser = Links()
    parser.feed(page)
    return parser


def test_the_page_loads_nothing_from_outside_itself(page, links):
    assert links.loaded == []
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in links.images)
    assert not re.search(r"url\(|@import|<script", page)


def test_every_figure_has_words_for_those_who_cannot_see_it(links):
    assert len(links.images) >= 15
    assert all(len(image["alt"]) > 40 for image in links.images)


def test_every_anchor_of_the_page_leads_somewhere_and_ids_are_unique(links):
    assert {anchor.removeprefix("#") for anchor in links.anchors} <= set(links.ids)
    assert len(set(links.ids)) == len(links.ids)


def test_pipeline_seeds_are_counted_in_the_results_and_not_in_the_settings(inputs, page):
    assert len(inputs.settings.pipeline_seeds) == 1
    assert "3 pipeline seeds (labels" in page
    assert "3 pipeline seeds, 3 search seeds" in page


def test_claims_stand_with_their_intervals_as_they_came(page):
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert "As the paper has it. PAV beam at 64 against the better ORM's best-of-64: " in text
    assert "+8.3 points, interval +4.1 to +12.4." in text
    assert "t interval over 3 pipeline seeds +2.0 to +14.0" in text
    assert "Against the paper. PAV beam at 64 against the Q beam at 64: \u22124.2 points" in text
    assert "No difference shown. PAV beam at 16" in text


def test_an_interval_that_holds_zero_is_never_called_a_difference():
    row = comparison("one against other", 0.05, (-0.001, 0.1), None)
    [claim] = claims([row], confidence=0.95)
    assert (claim.kind, claim.verdict) == ("open", "No difference shown.")
    assert "one pipeline seed" in claim.detail


def test_the_loss_is_split_into_the_pick_and_the_beam(inputs):
    # 1 - .904 = 9.6 points missed: .995 - .904 = 9.1 by the pick, 1 - .995 = 0.5 by the beam.
    words = " ".join(limits(inputs))
    assert "9.6 points" in words
    assert "9.1 are problems whose kept candidates hold a right solution" in words
    assert "larger loss is the final pick's" in words


def test_a_right_rollout_of_a_hopeless_prefix_is_shown_as_an_error(inputs):
    known = with_steps(inputs.prefixes, inputs.solutions)
    said = pl.col("steps").list.last().str.contains("= 24 left 24")
    hopeless = known.filter(said)["prefix_id"][0]
    finished = pl.col("prefix_id") == hopeless
    prefixes = known.with_columns(
        is_terminal=pl.when(finished).then(False).otherwise(pl.col("is_terminal"))
    )
    extra = inputs.label_blocks.head(1).with_columns(
        prefix_id=pl.lit(hopeless), num_correct=pl.lit(1, pl.Int32)
    )
    blocks = pl.concat([inputs.label_blocks, extra])
    assert truth_check(inputs.problems, known, inputs.label_blocks).num_contradictions == 0
    assert truth_check(inputs.problems, prefixes, blocks).num_contradictions == 1


def test_results_hold_what_the_page_shows(inputs, store, written):
    results = json.loads(store.read_bytes("runs/run-1/results.json"))
    assert results["arms"] == inputs.results["arms"]
    assert results["labels"]["num_rollouts"] == inputs.labels()["num_rollouts"].sum()
    assert {row["verifier"] for row in results["verifiers_by_step"]} >= {"q", "orm_all"}
    assert written.report == "runs/run-1/report.html"
    assert all(store.exists(path) for path in (written.report, *written.figures))
    assert {"arms", "verifiers", "datasets", "timings"} <= {each.name for each in written.tables}


def test_a_run_without_beams_labels_or_scores_still_has_a_page(bare):
    words = render(bare)
    assert "There are no labels." in words
    assert "17.4%" in words


def test_text_of_a_model_cannot_break_out_of_the_page(inputs, bare):
    spoiled = inputs.solutions.with_columns(reason=pl.lit("<script>alert(1)</script>"))
    tables = ExampleTables(inputs.problems, spoiled, inputs.scores)
    examples = [example_rows(each) for each in worked_examples(tables, count=1, main_k=4)]
    page = render({**bare, "examples": examples})
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.004, "0.00"), (-0.004, "0.00"), (0.126, "+0.13"), (-1.0, "\u22121.00")],
)
def test_a_change_has_a_sign_unless_it_is_none(number, text):
    assert signed(number) == text


def test_data_sets_are_named_as_reused_made_or_both(inputs):
    rows = {row[0]: row[-1] for row in dataset_table(inputs.stages).rows}
    assert rows["solutions"] == "reused"
    assert rows["label_blocks"] == "partly reused"
    assert rows["scores"] == "made"


def test_artifact_keys_and_rows_are_what_prefect_takes(inputs):
    table = dataset_table(inputs.stages)
    assert artifact_key("Never solved_1") == "never-solved-1"
    assert table_records(table)[0]["data set"] == "problems"
    assert "**Against the paper.**" in claims_markdown(
        claims(inputs.results["comparisons"], confidence=0.95)
    )


def test_the_label_stage_says_its_price_and_its_estimate_in_the_report(inputs):
    note = "price 1.25, 0.052 per 1,000 labels"
    stages = (StageReport("label", 4, 0, 4, 9.0, ("label_blocks",), (note,)),)
    said = label_words(replace(inputs, stages=stages))
    assert said[-1] == "Price 1.25, 0.052 per 1,000 labels."
    assert len(said) == len(label_words(replace(inputs, stages=()))) + 1


def test_the_time_table_has_a_price_where_a_device_hour_has_one():
    stages = [StageReport("sample", 2, 0, 2, 1800.0), StageReport("label", 4, 4, 0, 0.0)]
    priced = timing_table(stages, unit_seconds={"label": 5400.0}, device_hour_price=2.5)
    # 1,800 s and 5,400 s are two hours.
    assert priced.caption.endswith("All its units cost 5.00 at 2.5 a device-hour.")
    assert "cost" not in timing_table(stages, unit_seconds={"label": 5400.0}).caption
