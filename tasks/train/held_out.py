"""Calibrates a trained verifier and scores held-out solutions at every step end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pav.models.records import Prefix, Problem, Verdict
from pav.models.verifiers.batches import EncodedSequence
from pav.models.verifiers.calibration import Calibration, fit_where_better
from pav.models.verifiers.kinds import KINDS
from pav.models.verifiers.metrics import calibration_error, log_loss, summary
from pav.models.verifiers.published import Published
from pav.tasks.engine.scorer import segment_logits, segments
from pav.tasks.engine.tokens import Codec
from pav.tasks.store.units import Unit
from pav.tasks.train.data import counts_by_prefix, held_out_solutions
from pav.tasks.train.plan import TrainWork

Floats = NDArray[np.float64]
Row = dict[str, Any]
Counts = dict[str, tuple[int, int]]
_SCORE_TOKENS = 8192


@dataclass(frozen=True)
class HeldOut:
    """Scores of held-out solutions, rows of the data set `scores`, and what they amount to.

    `metrics`: split -> head -> metric, with the calibration error before recalibration too.
    """

    calibration: dict[str, Calibration]
    rows: list[Row]
    metrics: dict[str, dict[str, dict[str, float]]]


def calibrate(
    model: Any,
    validation: Sequence[EncodedSequence],
    work: TrainWork,
    *,
    problem_ids: Sequence[str],
) -> dict[str, Calibration]:
    """Return each head's calibration, fitted on the labels of validation problems.

    A head whose calibration would not lower the loss of problems left out stays as it was trained.
    """
    model.eval()
    rows = [segments(each.token_ids, each.ends) for each in validation]
    outputs = np.concatenate(segment_logits(model, rows, score_tokens=_SCORE_TOKENS))
    logits = KINDS[work.kind].link.log_odds(outputs)
    targets = np.concatenate([each.targets for each in validation])
    weights = np.concatenate([each.weights for each in validation])
    groups = [
        name
        for name, each in zip(problem_ids, validation, strict=True)
        for _ in range(len(each.ends))
    ]
    return {
        head: fit_where_better(
            logits[:, number], targets[:, number], weights[:, number], groups=groups
        )
        for number, head in enumerate(work.heads)
    }


def score_held_out(
    model: Any,
    codec: Codec,
    *,
    calibration: dict[str, Calibration],
    unit: Unit,
    published: Published,
    problems: Mapping[str, Problem],
) -> HeldOut:
    """Return the scores of the base's validation and test solutions, and their metrics."""
    work = TrainWork.of(unit)
    solutions = held_out_solutions(published, problems, base=work.policies["base"])
    if solutions.is_empty():
        return HeldOut(calibration, [], {})
    encoded = [
        codec.encode_with_ends(Prefix(problem, tuple(steps), finish == "stop"))
        for problem, steps, finish in solutions.select(
            "problem_id", "steps", "finish_reason"
        ).iter_rows()
    ]
    outputs = segment_logits(
        model, [segments(ids, ends) for ids, ends in encoded], score_tokens=_SCORE_TOKENS
    )
    logits = [KINDS[work.kind].link.log_odds(row) for row in outputs]
    rows: list[Row] = []
    for number, head in enumerate(calibration):
        # Other heads are fitted to other things than Q at unfinished prefixes.
        is_value = work.is_value(number)
        counts = counts_by_prefix(published, work.head_policies[number]) if is_value else {}
        columns = [row[:, number] for row in logits]
        rows += _head_rows(solutions, columns, calibration[head], counts=counts, head=head)
    metrics = _metrics(rows)
    shared = {"pipeline_seed": work.pipeline_seed, "unit_id": unit.unit_id}
    for row in rows:
        del row["raw"]
    return HeldOut(calibration, [row | shared for row in rows], metrics)


def _head_rows(
    solutions: pl.DataFrame,
    logits: Sequence[Floats],
    calibration: Calibration,
    *,
    counts: Counts,
    head: str,
) -> list[Row]:
    rows = []
    for solution, row_logits in zip(solutions.iter_rows(named=True), logits, strict=True):
        scores = calibration.probabilities(row_logits)
        last = len(row_logits) - 1
        for num_steps, prefix_id in enumerate(solution["prefix_ids"]):
            is_terminal = num_steps == last and solution["finish_reason"] == "stop"
            verdict = (int(solution["verdict"] == Verdict.CORRECT), 1)
            label = verdict if is_terminal else counts.get(prefix_id, (None, None))
            rows.append({
                "verifier": head, "solution_id": solution["solution_id"],
                "problem_id": solution["problem_id"], "split": solution["split"],
                "num_steps": num_steps, "prefix_id": prefix_id,
                "score": float(scores[num_steps]), "raw": float(row_logits[num_steps]),
                "num_correct": label[0], "num_rollouts": label[1], "is_terminal": is_terminal,
            })  # fmt: skip
    return rows


def _metrics(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, float]]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["num_rollouts"]:
            groups.setdefault((row["split"], row["verifier"]), []).append(row)
    metrics: dict[str, dict[str, dict[str, float]]] = {}
    for (split, head), members in groups.items():
        labels = [[row[name] for row in members] for name in ("num_correct", "num_rollouts")]
        raw = Calibration().probabilities([row["raw"] for row in members])
        found = summary([row["score"] for row in members], *labels)
        found["ece_before_calibration"] = calibration_error(raw, *labels)
        found["log_loss_before_calibration"] = log_loss(raw, *labels)
        terminal = [row for row in members if row["is_terminal"]]
        found["auc_finished"] = summary(
            *([row[name] for row in terminal] for name in ("score", "num_correct", "num_rollouts"))
        )["auc"]
        metrics.setdefault(split, {})[head] = {
            name: value for name, value in found.items() if np.isfinite(value)
        }
    return metrics
