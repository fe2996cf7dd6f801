"""TRL's stepwise rows: prompt, completions (one a step) and a boolean for each."""

from collections.abc import Sequence
from typing import Any


def written(prompt: str, steps: Sequence[str], *, is_right: Sequence[bool]) -> dict[str, Any]:
    """Return the row of a solution; trainers put a separator of their own after each step.

    Prompt and first step are joined as they are, so that the prompt ends with its white space.
    """
    return {
        "prompt": prompt,
        "completions": [step.rstrip("\n") for step in steps],
        "labels": list(is_right),
    }
