"""A run for reports: true solver verdicts with invented chances, labels, scores and arms."""

import itertools
import math
import random

from pav.models.domains.countdown.domain import Countdown, fault, is_solvable_prefix
from pav.models.domains.countdown.solver import is_solvable, legal_moves
from pav.models.domains.countdown.text import format_steps
from pav.models.hashing import digest
from pav.models.records import Prefix
from pav.models.settings import RunSettings
from pav.models.verifiers.metrics import metrics_table
from pav.models.verifiers.score_checks import score_drift, worst_bins
from pav.tasks.report.arm_names import arm_label
from pav.tasks.report.inputs import ReportInputs
from pav.tasks.report.truth import truth_check
from pav.tasks.store.datasets import frame
from pav.tasks.store.prefix_tables import with_steps
from pav.tasks.store.stage_report import StageReport

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
    names = ("solutions", "prefixes", "solution_prefixes", "label_blocks")
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in names}
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
            solver=fault,
        ).to_record(),
        "verifiers": metrics_table(frame("scores", scores), by=("verifier", "split")).to_dicts(),
        "worst_bins": worst_bins(frame("scores", scores)),
        "score_drift": score_drift(frame("scores", scores), confidence=0.95),
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
    rows: list[dict[str, object]] = [
        {
            "name": name, "pipeline_seed": 0, "step": step, "train_loss": 0.7 * 0.998**step + 0.3,
            "validation_loss": 0.6 * 0.998**step + 0.36, "learning_rate": 1e-3, "unit_id": "t",
        }
        for name in ("policy", "orm_all", "orm_seed", "q", "q_weak", "q_strong")
        for step in range(0, 1500, 150)
    ]  # fmt: skip
    return frame("training_runs", rows)


# Accuracy at 1, 4, 16 and 64 candidates, percent, by strategy, verifier and prover.
ACCURACIES = {
    ("best_of_n", "orm", ""): (28, 64, 86, 87),
    ("best_of_n", "orm_seed", ""): (28, 63, 85, 83),
    ("best_of_n", "orm_likely", ""): (28, 64, 90, 96),
    ("best_of_n", "pav", "bo4"): (28, 65, 87, 90),
    ("best_of_n", "likely", ""): (28, 60, 85, 93),
    ("best_of_n", "majority", ""): (28, 47, 82, 93),
    ("best_of_n", "orm_majority", ""): (28, 63, 88, 94),
    ("best_of_n", "q", ""): (28, 64, 84, 81),
    ("best_of_n", "q_product", ""): (28, 65, 87, 90),
    ("best_of_n", "q_likely", ""): (28, 66, 89, 96),
    ("beam", "q", ""): (28, 67, 91, 92),
    ("beam", "pav", "bo2"): (28, 67, 91, 92),
    ("beam", "pav", "bo4"): (28, 67, 91, 96),
    ("beam", "pav", "bo8"): (28, 66, 91, 91),
    ("beam", "pav", "bo16"): (28, 67, 88, 89),
    ("beam", "pav", "strong"): (28, 68, 90, 96),
    ("beam", "pav", "weak"): (28, 68, 91, 86),
}
COUNTS = (1, 4, 16, 64)
NAMES = ("strategy", "verifier", "prover", "num_samples")


def invented_results():
    """Arms whose accuracy rises with N, comparisons with a gain, a loss and neither."""
    arms = [invented_arm("single", "", "", 1, 0.28)]
    for (strategy, verifier, prover), shares in ACCURACIES.items():
        for count, share in zip(COUNTS, shares, strict=True):
            arms.append(invented_arm(strategy, verifier, prover, count, share / 100))
    pav, q = ("beam", "pav", "bo4"), ("beam", "q", "")
    orm, ranked = ("best_of_n", "orm", ""), ("best_of_n", "pav", "bo4")
    return {
        "confidence": 0.95,
        "num_test_problems": 262,
        "num_pipeline_seeds": 3,
        "arms": arms,
        "better_orm": "orm",
        "comparisons": [
            comparison((pav, 64), (orm, 64), 0.083, (0.041, 0.124), (0.02, 0.14)),
            comparison((pav, 64), (q, 64), -0.042, (-0.071, -0.011), (-0.08, -0.01)),
            comparison((pav, 16), (orm, 16), 0.031, (-0.012, 0.071), (-0.03, 0.09)),
            comparison((ranked, 64), (orm, 64), 0.027, (0.006, 0.047), (0.004, 0.05)),
        ],
        "other_comparisons": [comparison((q, 64), (orm, 64), 0.02, (0.0, 0.04), (-0.01, 0.05))],
        "differences_to_q_beam": invented_differences(),
        "compute": [
            {
                "arm": arm, "target": dict(zip(NAMES, (*orm, 64), strict=True)),
                "accuracy": 0.794, "candidates": needed,
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
        "facts": {
            "data_from": "2026-11-24T16:02:11+00:00", "data_until": "2026-11-24T17:15:40+00:00",
            "written_at": "2026-11-24T17:15:58+00:00", "version": "0.1.0",
            "commit": "0123456789ab", "config": "full", "changed_settings": [],
            "versions": {"python": "3.11.7", "torch": "2.13.0"},
            "machine": "Linux x86_64, 2 CPU cores, 24 GiB of memory",
        },
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


def invented_differences():
    """Each arm against the Q beam, wider intervals for fewer candidates."""
    level = ACCURACIES["beam", "q", ""]
    found = []
    for name, shares in ACCURACIES.items():
        for count, share, base in list(zip(COUNTS, shares, level, strict=True))[1:]:
            if name != ("beam", "q", ""):
                middle, half = (share - base) / 100, 0.1 / math.sqrt(count) + 0.008
                ends = (middle - half, middle + half)
                row = comparison((name, count), (("beam", "q", ""), count), middle, ends, None)
                found.append({**row, "label": arm_label(row["first"])})
    return found


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
        "num_pipeline_seeds": 3, "num_search_seeds": 3 if is_main else 1,
        "num_searches": 262 * 3, "searches_cut_off": 0,
        "final_pick": {"beam": "q_likely", "single": ""}.get(strategy, "orm"),
    }  # fmt: skip


def comparison(first, second, difference, interval, of_seeds):
    """A comparison of two arms, each a name and a number of candidates."""
    (one, count), (other, other_count) = first, second
    low, high = interval
    t_low, t_high = of_seeds or (None, None)
    rows = [
        dict(zip(NAMES, (*name, number), strict=True))
        for name, number in ((one, count), (other, other_count))
    ]
    return {
        "label": f"{arm_label(rows[0])} at {count} against {arm_label(rows[1])} at {other_count}",
        "first": rows[0], "second": rows[1], "difference": difference, "low": low, "high": high,
        "t_low": t_low, "t_high": t_high, "both_low": t_low, "both_high": t_high,
        "num_seeds": 3 if of_seeds else 1, "excludes_zero": low > 0 or high < 0,
        "wins": 41, "losses": 19, "like_for_like": one[0] == other[0], "p_holm": 0.0124,
        "of_paper": one[1] == "pav",
    }  # fmt: skip
