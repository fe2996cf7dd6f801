"""Worked examples laid out as the page shows them: one row a step, the bare problem first."""

from collections.abc import Sequence
from typing import Any

from pav.tasks.report.arm_names import verifier_label
from pav.tasks.report.examples import Example, Track, advantages_along


def example_rows(example: Example) -> dict[str, Any]:
    """Return an example as the template lays it out: one row a step, the bare problem first."""
    base, *others = example.tracks
    provers = [track for track in others if track.labelled]
    pairs = [_advantage_pair(track) for track in provers]
    rows = [
        {
            "index": index,
            "text": example.steps[index - 1].rstrip("\n") if index else "(the bare problem)",
            "mark": _mark(example, index),
            "is_solvable": example.is_solvable[index],
            "labelled": base.labelled[index],
            "count": example.counts[index],
            "scored": base.scored[index],
            "advantages": [
                {**pair, "labelled": pair["labelled"][index], "scored": pair["scored"][index]}
                for pair in pairs
            ],
        }
        for index in range(len(example.steps) + 1)
    ]
    names = ("heading", "question", "answer", "split", "verdict", "reason")
    return {
        **{name: getattr(example, name) for name in names},
        "provers": pairs,
        "rows": rows,
        "outcome": _orm_words([track for track in others if not track.labelled]),
    }


def _mark(example: Example, index: int) -> str:
    """Return what is wrong with a step: its text, or that it puts the target out of reach."""
    if index and index == example.wrong_step:
        return "wrong step"
    lost = index and example.is_solvable[index - 1] and example.is_solvable[index] is False
    return "target out of reach" if lost else ""


def _advantage_pair(track: Track) -> dict[str, Any]:
    """Return a prover's advantages by labels, if any prefix before the end has one, and scores."""
    return {
        "name": track.name,
        "labelled": advantages_along(track.labelled),
        "scored": advantages_along(track.scored),
        "has_labels": any(number is not None for number in track.labelled[:-1]),
    }


def _orm_words(tracks: Sequence[Track]) -> str:
    """Return what each ORM says of the finished solution."""
    said = [
        f"{verifier_label(track.name)} {track.scored[-1]:.2f}"
        for track in tracks
        if track.scored[-1] is not None
    ]
    return f"Score of the finished solution: {', '.join(said)}." if said else ""
