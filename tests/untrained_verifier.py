"""A verifier folder made at once: the embedded architecture with weights that nobody trained."""

from collections.abc import Collection
from pathlib import Path

import torch
from transformers import AutoModelForTokenClassification

from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.settings import PrepareSettings
from pav.models.verifiers.calibration import Calibration
from pav.tasks.engine.scorer import verifier_files

SIZES = PrepareSettings(num_layers=1, hidden_size=16, intermediate_size=32, num_heads=2)


def untrained(folder: Path, heads: Collection[str], **details: object) -> Path:
    """Save a verifier with these heads, name -> calibration or names alone; return its folder."""
    tokenizer = build_tokenizer()
    config = build_config(SIZES, tokenizer)
    config.num_labels = len(heads)
    torch.manual_seed(1)
    model = AutoModelForTokenClassification.from_config(config)
    calibration = heads if isinstance(heads, dict) else dict.fromkeys(heads, Calibration(3.0, 0.5))
    known = {"domain": "countdown", "kind": "q"} | details
    files = verifier_files(model, tokenizer, calibration=calibration, card="", details=known)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder
