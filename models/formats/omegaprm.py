"""OmegaPRM rows and trees (arXiv 2406.06592): values of prefixes, without the counts behind them.

Rows list the nodes of a tree, parents before children, as question and response so far; trees nest
them. A path to a leaf is a solution; no leaf says whether its response is whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pav.models.errors import InputError, shown
from pav.models.formats.bounds import bounded
from pav.models.formats.fields import (
    as_object,
    list_of,
    object_of,
    optional_text,
    share_of,
    text_of,
)
from pav.models.formats.records import Format, ImportedLabel, ImportedSolution, Parsed

# Trees hold no white space between steps, and a response needs some.
STEP_END = "\n\n"
_SILENCES = (
    "values without the counts behind them",
    "whether a leaf is a whole response: one whose answer cannot be found is kept as open",
    "no policy",
)


@dataclass(frozen=True, slots=True)
class _Node:
    """A node on a path: the text from its parent's end to its own, and its value."""

    text: str
    value: float | None


def parse_rows(fields: Mapping[str, Any]) -> Parsed:
    """Return a solution for each path of a row's nodes, the bare problem's value with each."""
    question = text_of(fields, "question")
    paths: list[tuple[_Node, ...]] = []
    # The path to the node before, each with the response up to its end.
    open_path: list[tuple[str, _Node]] = []
    for number, item in enumerate(list_of(fields, "reasoning_steps"), start=1):
        name = f"reasoning_steps {number}"
        row = as_object(name, item)
        prefix = text_of(row, "solution_prefix")
        if not prefix.startswith(question):
            raise InputError(
                f"{name}: solution_prefix: expected the question first, got {shown(prefix)}"
            )
        response = prefix[len(question) :]
        is_leaf = bool(open_path)
        while open_path and not _goes_on(open_path[-1][0], response):
            if is_leaf:
                paths.append(tuple(node for _, node in open_path))
            is_leaf = False
            open_path.pop()
        start = len(open_path[-1][0]) if open_path else 0
        open_path.append((response, _Node(response[start:], share_of(row, "mc_value"))))
    paths.append(tuple(node for _, node in open_path))
    return Parsed(bounded(_solution(fields, path) for path in paths))


def parse_tree(fields: Mapping[str, Any]) -> Parsed:
    """Return a solution for each path from the root, the question, to a leaf."""
    root = object_of(fields, "reasoning_steps")
    if text_of(root, "text").strip() != text_of(fields, "question").strip():
        raise InputError(f"reasoning_steps: expected the question, got {shown(root.get('text'))}")
    start = _Node("", share_of(root, "mc_value"))
    paths = ((start, *path) for path in _branches(root, "reasoning_steps"))
    return Parsed(bounded(_solution(fields, path) for path in paths))


def _goes_on(before: str, response: str) -> bool:
    """Whether a response begins with another and is longer; an equal one is another node."""
    return response.startswith(before) and len(response) > len(before)


def _branches(parent: Mapping[str, Any], name: str) -> Iterator[tuple[_Node, ...]]:
    """Yield the paths below a node, by a stack: a tree may be deeper than Python's calls."""
    waiting: list[tuple[tuple[_Node, ...], Mapping[str, Any]]] = [((), parent)]
    while waiting:
        path, node = waiting.pop()
        children = node.get("children") or []
        if not isinstance(children, list):
            raise InputError(f"{name}: children: expected a list, got {shown(children)}")
        if not children:
            yield _ended(path)
        for item in reversed(children):
            child = as_object(f"{name}: children", item)
            grown = _Node(text_of(child, "text"), share_of(child, "mc_value"))
            waiting.append(((*path, grown), child))


def _ended(path: Sequence[_Node]) -> tuple[_Node, ...]:
    inner = (_Node(node.text + STEP_END, node.value) for node in path[:-1])
    return (*inner, *path[-1:])


def _solution(fields: Mapping[str, Any], path: Sequence[_Node]) -> ImportedSolution:
    """Return the solution of a path; a first node without text is the bare problem."""
    first = 0 if path[0].text == "" else 1
    labels = tuple(
        ImportedLabel(number, "soft", node.value) for number, node in enumerate(path, start=first)
    )
    answer = optional_text(fields, "final_answer")
    return ImportedSolution(
        question=text_of(fields, "question"),
        steps=tuple(node.text for node in path if node.text),
        labels=labels,
        finish="unknown" if any(node.text for node in path) else "open",
        answer=answer,
        answer_source="human" if answer else "",
    )


ROWS = Format("omegaprm", parse_rows, silences=_SILENCES)
TREE = Format(
    "omegaprm-tree",
    parse_tree,
    silences=("the white space between steps: a blank line stands there", *_SILENCES),
)
