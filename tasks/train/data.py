"""Reads published samples and labels, and makes the training examples of one verifier of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from pav.models.errors import InputError
from pav.models.hashing import bucket, stream_key
from pav.models.records import Prefix, Problem
from pav.models.verifiers.batches import EncodedSequence
from pav.models.verifiers.data import TargetSequence
from pav.models.verifiers.kinds import KINDS
from pav.models.verifiers.published import Published
from pav.tasks.engine.tokens import Codec
from pav.tasks.store.manifests import holding, read_tables, required_manifest
from pav.tasks.store.prefix_tables import with_steps
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Unit
from pav.tasks.train.plan import TrainWork

# Enough sequences for a validation loss to within a percent; more would slow the training down.
MAX_VALIDATION = 3072
# Without labelled validation problems, one in this many training problems stands in for them.
_STAND_IN = 10
_ROLLOUT_COLUMNS = ("prefix_id", "policy_id", "steps", "verdict", "finish_reason")
_PREFIX_COLUMNS = ("prefix_id", "problem_id", "solution_id", "num_steps", "is_terminal")
_SOLUTION_COLUMNS = ("solution_id", "problem_id", "policy_id", "steps", "verdict", "finish_reason")


@dataclass(frozen=True)
class Examples:
    """What one network is fitted on, and what it is stopped and calibrated by."""

    training: list[TargetSequence]
    validation: list[TargetSequence]

    def counts(self, part: Literal["training", "validation"]) -> dict[str, int]:
        """Return how many sequences there are, and how many labelled step ends over all heads."""
        sequences = self.training if part == "training" else self.validation
        targets = sum(np.count_nonzero(sequence.weights) for sequence in sequences)
        return {"sequences": len(sequences), "targets": int(targets)}


def read_published(store: Store, unit: Unit) -> Published:
    """Return the tables behind a training unit's inputs, in the order of their roles."""
    sampled, labelled = (_manifests(store, unit, stage) for stage in ("sample", "label"))

    def read(
        manifests: Iterable[Manifest], name: str, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        return read_tables(store, holding(manifests, name), name, columns=columns)

    # A tree search labels prefixes of its own. The responses it went through are wrong because it
    # looks for wrong ones: they are rollouts here, never solutions.
    prefixes = read([*sampled, *labelled], "prefixes", _PREFIX_COLUMNS)
    whole = read([*sampled, *labelled], "solutions", ("solution_id", "steps"))
    return Published(
        read(sampled, "solutions", _SOLUTION_COLUMNS),
        with_steps(prefixes.unique("prefix_id", keep="first", maintain_order=True), whole),
        read(sampled, "solution_prefixes"),
        read(labelled, "rollouts", _ROLLOUT_COLUMNS),
    )


def _manifests(store: Store, unit: Unit, stage: str) -> list[Manifest]:
    roles = sorted(role for role in unit.inputs if role.split(":")[0] == stage)
    return [required_manifest(store, unit.inputs[role].unit_id) for role in roles]


def make_examples(
    work: TrainWork, published: Published, problems: Mapping[str, Problem]
) -> Examples:
    """Return the examples of training problems and those of validation problems."""
    splits = _split_ids(work, published, problems)
    training = _sequences(work, published, splits["train"], held_out=False)
    validation = _sequences(work, published, splits["validation"], held_out=True)
    if not training or not validation:
        raise InputError(
            f"verifier {work.verifier}: expected labelled solutions of training problems "
            "to train on, and others to stop and calibrate by; got those of "
            f"{len(splits['train'])} and {len(splits['validation'])} problems"
        )
    return Examples(training, sample_sequences(validation, MAX_VALIDATION))


def _split_ids(
    work: TrainWork, published: Published, problems: Mapping[str, Problem]
) -> dict[str, set[str]]:
    sampled = set(published.solutions["problem_id"].unique())
    ids = {
        split: {name for name in sampled if problems[name].split == split}
        for split in ("train", "validation")
    }
    if not ids["validation"]:
        seed = str(work.pipeline_seed)
        ids["validation"] = {name for name in ids["train"] if not bucket(seed + name, _STAND_IN)}
        ids["train"] -= ids["validation"]
    return ids


def _sequences(
    work: TrainWork, published: Published, ids: set[str], *, held_out: bool
) -> list[TargetSequence]:
    sequences = KINDS[work.kind].examples(work, published.of_problems(ids), held_out=held_out)
    for sequence in sequences:
        _check(work, sequence, ids)
    return sequences


def _check(work: TrainWork, sequence: TargetSequence, ids: set[str]) -> None:
    """Raise InputError where an example is not what the trainer takes: a plug-in may err."""
    targets, weights = sequence.targets, sequence.weights
    shape = (len(sequence.prefix.steps) + 1, len(work.heads))
    is_right = targets.shape == weights.shape == shape and sequence.prefix.problem_id in ids
    if not (is_right and ((targets >= 0) & (targets <= 1) & (weights >= 0)).all()):
        raise InputError(
            f"verifier {work.verifier}: expected examples of the given problems with targets in "
            f"[0, 1] and weights of 0 or more, both of shape {shape}, got {sequence!r}; mend the "
            f"examples of the kind {work.kind!r}"
        )


def sample_sequences(sequences: list[TargetSequence], size: int) -> list[TargetSequence]:
    """Return `size` of the sequences, the same ones whatever their order."""
    return sorted(sequences, key=lambda each: _place(each.prefix))[:size]


def _place(prefix: Prefix) -> tuple[int, str]:
    return stream_key(prefix.problem_id, prefix.text, int(prefix.is_finished)), prefix.text


def encode(codec: Codec, sequences: Iterable[TargetSequence]) -> list[EncodedSequence]:
    """Return the sequences with the token ids and the ends of the prompt and of each step."""
    encoded = []
    for sequence in sequences:
        ids, ends = codec.encode_with_ends(sequence.prefix)
        encoded.append(EncodedSequence(ids, ends, sequence.targets, sequence.weights))
    return encoded


def encode_rephrased(
    codec: Codec, sequences: Sequence[TargetSequence], problems: Mapping[str, Problem]
) -> list[EncodedSequence]:
    """Return the sequences, each with every prompt that asks its problem.

    Verdicts do not depend on how a problem is asked, and values hardly, for a policy that was
    trained to see it so: a verifier shown one prompt a problem learns problems by heart.
    """
    prompts = {
        name: codec.prompts(problems[name])
        for name in {sequence.prefix.problem_id for sequence in sequences}
    }
    return [
        replace(each, prompts=prompts[sequence.prefix.problem_id])
        for each, sequence in zip(encode(codec, sequences), sequences, strict=True)
    ]


def held_out_solutions(
    published: Published, problems: Mapping[str, Problem], *, base: str
) -> pl.DataFrame:
    """Return the base's solutions of validation and test problems with `split`, `prefix_ids`."""
    splits = pl.DataFrame(
        [(name, each.split) for name, each in problems.items()],
        schema={"problem_id": pl.String, "split": pl.String},
        orient="row",
    )
    prefix_ids = (
        published.solution_prefixes.sort("num_steps")
        .group_by("solution_id")
        .agg(prefix_ids=pl.col("prefix_id"))
    )
    return (
        published.solutions.filter(pl.col("policy_id") == base)
        .join(splits.filter(pl.col("split") != "train"), on="problem_id")
        .join(prefix_ids, on="solution_id")
        .sort("solution_id")
    )


def counts_by_prefix(published: Published, policy_id: str) -> dict[str, tuple[int, int]]:
    """Return prefix_id -> (num_correct, num_rollouts) of a policy's own rollouts."""
    graded = published.rollouts.filter(
        pl.col("policy_id") == policy_id, pl.col("verdict") != "failed"
    )
    counts = graded.group_by("prefix_id").agg((pl.col("verdict") == "correct").sum(), n=pl.len())
    return {name: (correct, total) for name, correct, total in counts.iter_rows()}
