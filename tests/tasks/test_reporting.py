"""The report: a page that opens offline, with every number it was given and none made up."""

import itertools
import json
import math
import random
import re
from html.parser import HTMLParser

import polars as pl
import pytest

from pav.models.domains.countdown import Countdown, is_solvable_prefix
from pav.models.domains.countdown_solver import is_solvable, legal_moves
from pav.models.domains.countdown_text import format_steps
from pav.models.hashing import digest
from pav.models.records import Prefix
from pav.models.settings import RunSettings
from pav.tasks.datasets import frame
from pav.tasks.planning import StageReport
from pav.tasks.report_inputs import ReportInputs
from pav.tasks.reporting import render, report_context, write_report
from pav.tasks.store import Store

DOMAIN = Countdown()
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


def invented_inputs(num_problems=40, *, search_problems=None, pipeline_seeds=(0,)):
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
                    "prefix_id": prefix_id, "problem_id": problem.problem_id, "steps": steps[:count],
                    "text": prefix.text, "num_steps": count, "num_tokens": 10 * count,
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
    return ReportInputs(
        settings=RunSettings(pipeline_seeds=pipeline_seeds),
        results=invented_results(),
        stages=(
            StageReport("problems", 1, 1, 0, 0.0, ("problems",)),
            StageReport("sample", 8, 8, 0, 0.0, ("prefixes", "solution_prefixes", "solutions")),
            StageReport("label", 48, 40, 8, 91.4, ("label_blocks", "rollouts")),
            StageReport("train", 6, 0, 6, 210.8, ("model", "scores", "training_runs")),
        ),
        problems=problem_frame(problems),
        search_results=invented_search(problems, rng),
        scores=frame("scores", scores),
        training_runs=invented_training(),
        **{name: frame(name, rows).unique(maintain_order=True) for name, rows in tables.items()},
    )


def problem_frame(problems):
    names = ("problem_id", "domain", "question", "answer", "answer_source", "split", "source")
    rows = [
        {**{name: getattr(problem, name) for name in names}, "canonical_key": problem.canonical_key}
        for problem in problems
    ]
    return frame("problems", rows)


def invented_search(problems, rng):
    """Validation rows for the choice of alpha, and a few test rows to count problems by."""
    rows = []
    for problem in problems:
        arms = [("q", "", 0.0)] + [("pav", "bo4", alpha) for alpha in (0.1, 0.3, 0.5, 0.7, 1.0)]
        for verifier, prover, alpha in arms if problem.split == "validation" else arms[:1]:
            rows.append(
                {
                    "strategy": "beam", "verifier": verifier, "prover": prover, "alpha": alpha,
                    "num_samples": 16, "split": problem.split, "problem_id": problem.problem_id,
                    "pipeline_seed": 0, "seed": 0, "final_pick": "orm",
                    "is_correct": rng.random() < 0.75 + 0.1 * alpha, "is_any_correct": True,
                    "generated_tokens": 500, "scored_tokens": 900, "seconds": 0.1, "unit_id": "e",
                }
            )  # fmt: skip
    return frame("search_results", rows)


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
    kinds = [
        ("best_of_n", "orm", "", 0.0), ("best_of_n", "orm_seed", "", -0.04),
        ("best_of_n", "q", "", -0.02), ("best_of_n", "q_product", "", 0.01),
        ("best_of_n", "pav", "bo4", 0.0), ("beam", "q", "", 0.06),
        *(("beam", "pav", f"bo{k}", gain) for k, gain in ((2, 0.07), (4, 0.11), (8, 0.1), (16, 0.06))),
        ("beam", "pav", "weak", 0.07), ("beam", "pav", "strong", 0.08),
    ]  # fmt: skip
    arms = [invented_arm("single", "", "", 1, 0.174)]
    for (strategy, verifier, prover, gain), count in itertools.product(kinds, (1, 4, 16, 64)):
        accuracy = min(0.97, 0.174 + (0.62 + gain) * (math.log(count) / math.log(64)) ** 0.8)
        arms.append(invented_arm(strategy, verifier, prover, count, accuracy))
    return {
        "arms": arms,
        "comparisons": [
            comparison("PAV beam against better ORM best-of-64", 0.083, 0.041, 0.124, 0.02, 0.14),
            comparison("PAV beam against better ORM best-of-16", 0.031, -0.012, 0.071, -0.03, 0.09),
            comparison("PAV beam against Q beam at 64", -0.042, -0.071, -0.011, None, None),
        ],
        "wall_seconds": 812.0,
    }


def invented_arm(strategy, verifier, prover, num_samples, accuracy):
    reached = min(0.995, accuracy + 0.02 * math.log2(2 * num_samples))
    is_main = (strategy, verifier, prover) in {("beam", "q", ""), ("beam", "pav", "bo4")}
    return {
        "strategy": strategy, "verifier": verifier, "prover": prover,
        "alpha": 0.5 if verifier == "pav" else 0.0, "num_samples": num_samples,
        "accuracy": accuracy, "low": accuracy - 0.04, "high": min(1.0, accuracy + 0.035),
        "pass_rate": reached, "generated_tokens": 34.0 * num_samples * (0.8 if prover else 1),
        "scored_tokens": 61.0 * num_samples, "seconds": 0.004 * num_samples,
        "num_pipeline_seeds": 1, "num_search_seeds": 3 if is_main else 1,
        "final_pick": "orm" if strategy == "beam" else "",
    }  # fmt: skip


def comparison(label, difference, low, high, t_low, t_high):
    return {
        "name": re.sub(r"\W+", "_", label.lower()), "label": label, "difference": difference,
        "low": low, "high": high, "t_low": t_low, "t_high": t_high, "num_seeds": 3,
        "excludes_zero": low > 0 or high < 0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def inputs():
    return invented_inputs()


@pytest.fixture(scope="module")
def page(inputs):
    return render(report_context("20260101-abc", inputs))
