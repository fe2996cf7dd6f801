"""Verifier folders: stock token classifiers with a calibration beside them; saved, loaded, used."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pav.models.errors import InputError
from pav.models.hashing import parse_json
from pav.models.verifiers.calibration import Calibration
from pav.models.verifiers.kind import LOG_ODDS, Link
from pav.models.verifiers.kinds import kind_named
from pav.models.verifiers.trees import (
    Segment,
    build_tree,
    collate_trees,
    neighbour_order,
    tree_cuts,
)
from pav.tasks.engine.checkpoints import checkpoint_files, load_tokenizer, loading
from pav.tasks.store.manifests import checkpoint_folder, required_manifest
from pav.tasks.store.store import Store
from pav.tasks.store.units import InputRef

if TYPE_CHECKING:
    import torch

CALIBRATION_FILE = "pav_verifier.json"
MODEL_FOLDER = "model"
# Sequences that share prefixes are scored as one tree of at most this many tokens.
TREE_TOKENS = 128


@dataclass(frozen=True)
class LoadedVerifier:
    """A network with what turns its outputs into probabilities, one calibration per head."""

    model: Any
    tokenizer: Any
    calibration: tuple[Calibration, ...]
    heads: tuple[str, ...]
    link: Link
    # Whether products run in bfloat16.
    is_half: bool = False


def verifier_files(
    model: Any,
    tokenizer: Any,
    *,
    calibration: Mapping[str, Calibration],
    card: str,
    details: Mapping[str, Any],
) -> dict[str, bytes]:
    """Return name -> bytes of a verifier folder; `calibration` names the heads in their order."""
    heads = [{"name": name, **asdict(each)} for name, each in calibration.items()]
    record = {"heads": heads, **details}
    return checkpoint_files(model, tokenizer) | {
        CALIBRATION_FILE: (json.dumps(record, indent=2, sort_keys=True) + "\n").encode(),
        "README.md": card.encode(),
    }


def open_network(folder: Path, device: str, dtype: str) -> LoadedVerifier:
    """Return the verifier of a folder, in evaluation mode; InputError where it is none."""
    calibration, link = _read_calibration(folder)
    import torch
    from transformers import AutoModelForTokenClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    # On CPU as in training: weights in float32, products in bfloat16. Scores decide between near
    # equals, which rounded weights would blur.
    weights = torch.float32 if device == "cpu" else getattr(torch, dtype)
    wanted = "a token classifier that Transformers loads"
    with loading(lambda error: _wrong(folder, f"{wanted}, got {error}")):
        model = AutoModelForTokenClassification.from_pretrained(
            folder, dtype=weights, local_files_only=True, trust_remote_code=False
        )
    # With short trees the plain kernel is faster than the fused one on CPU.
    model.set_attn_implementation("eager" if device == "cpu" else "sdpa")
    if model.config.num_labels != len(calibration):
        heads = f"{len(calibration)} in {CALIBRATION_FILE}, {model.config.num_labels} in the model"
        raise _wrong(folder, f"as many heads in both files, got {heads}")
    model.to(device).eval()
    return LoadedVerifier(
        model,
        load_tokenizer(folder),
        tuple(calibration.values()),
        tuple(calibration),
        link,
        is_half=dtype == "bfloat16",
    )


def _read_calibration(folder: Path) -> tuple[dict[str, Calibration], Link]:
    path = folder / CALIBRATION_FILE
    if not path.is_file():
        found = "no such folder" if not folder.is_dir() else f"no {CALIBRATION_FILE} in it"
        raise _wrong(folder, f"{CALIBRATION_FILE}, found {found}")
    try:
        details = parse_json(path.read_bytes())
        calibration = {
            str(head["name"]): Calibration(float(head["scale"]), float(head["bias"]))
            for head in details["heads"]
        }
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _wrong(folder, f"heads with name, scale and bias, got {error!r}") from error
    # A folder that names no kind is of a version that had log-odds alone.
    kind = details.get("kind")
    if not kind:
        return calibration, LOG_ODDS
    return calibration, kind_named(str(kind), where=f"verifier {str(folder)!r}").link


def _wrong(folder: Path, expected: str) -> InputError:
    return InputError(
        f"verifier {str(folder)!r}: expected {expected}; "
        "give a folder that `pav train` made (its `model/`)"
    )


def verifier_source(store: Store, ref: InputRef, role: str) -> tuple[Path, int]:
    """Return the local folder of the unit that trained a role's network, and the role's head."""
    manifest = required_manifest(store, ref.unit_id)
    heads = manifest.unit.parameters.get("heads", [])
    if role not in heads:
        raise InputError(f"verifier {role!r}: unit {ref.unit_id} has the heads {heads!r}")
    return checkpoint_folder(store, manifest, MODEL_FOLDER), list(heads).index(role)


class Scorer:
    """Scores token sequences at their step ends; several folders give their heads in a row."""

    def __init__(self, *folders: Path, device: str, dtype: str, score_tokens: int) -> None:
        self._verifiers = [open_network(folder, device, dtype) for folder in folders]
        self._score_tokens = score_tokens
        self.heads = tuple(head for verifier in self._verifiers for head in verifier.heads)
        limits = [
            getattr(each.model.config, "max_position_embeddings", None) for each in self._verifiers
        ]
        # None where no architecture has a longest sequence.
        self.max_tokens = min((limit for limit in limits if limit is not None), default=None)

    def score(
        self, sequences: Sequence[Sequence[int]], ends: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float64]]:
        """Return, for each sequence, calibrated probabilities of shape (its ends, heads).

        Args:
            sequences: token ids.
            ends: of each, the ascending indices of the tokens to score at.
        """
        if not sequences:
            return []
        rows = [segments(ids, where) for ids, where in zip(sequences, ends, strict=True)]
        columns = [_probabilities(each, rows, self._score_tokens) for each in self._verifiers]
        return [np.concatenate(parts, axis=1) for parts in zip(*columns, strict=True)]


def segments(ids: Sequence[int], ends: Sequence[int]) -> tuple[Segment, ...]:
    """Cut token ids after each end; what follows the last one is dropped."""
    bounds = (0, *(end + 1 for end in ends))
    return tuple(tuple(ids[start:end]) for start, end in pairwise(bounds))


def _probabilities(
    verifier: LoadedVerifier, rows: Sequence[tuple[Segment, ...]], score_tokens: int
) -> list[NDArray[np.float64]]:
    outputs = segment_logits(verifier.model, rows, score_tokens=score_tokens, half=verifier.is_half)
    logits = [verifier.link.log_odds(row) for row in outputs]
    return [
        np.stack(
            [each.probabilities(row[:, head]) for head, each in enumerate(verifier.calibration)],
            axis=1,
        )
        for row in logits
    ]


def segment_logits(
    model: "torch.nn.Module",
    rows: Sequence[tuple[Segment, ...]],
    *,
    score_tokens: int,
    half: bool = False,
) -> list[NDArray[np.float64]]:
    """Return, for each row of segments, the logits at their ends: (segments, heads).

    `half` runs the products in bfloat16.

    Neighbours are laid out as trees, and trees of like size are run together, at most
    `score_tokens` padded tokens in a forward pass.
    """
    import torch

    from pav.models.verifiers.logits import tree_logits

    order = neighbour_order(rows)
    parts = np.split(order, tree_cuts([rows[i] for i in order], min(TREE_TOKENS, score_tokens)))
    trees = [build_tree(rows[index] for index in part) for part in parts]
    by_size = sorted(range(len(trees)), key=lambda number: -trees[number].num_tokens)
    found: list[NDArray[np.float64]] = [np.empty(0)] * len(rows)
    while by_size:
        size = max(1, score_tokens // trees[by_size[0]].num_tokens)
        chosen, by_size = by_size[:size], by_size[size:]
        batch = collate_trees([trees[number] for number in chosen], pad_id=0)
        with torch.inference_mode():
            logits = tree_logits(model, batch, half=half).double().cpu().numpy()
        first = 0
        for number in chosen:
            for index, path in zip(parts[number], trees[number].paths, strict=True):
                found[index] = logits[[first + node for node in path]]
            first += len(trees[number].nodes)
    return found
