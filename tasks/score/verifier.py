"""A trained verifier in Python: a prompt and steps go in, a score for each step comes out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pav.models.domains import Domain, domain
from pav.models.errors import InputError
from pav.models.settings import EngineSettings
from pav.models.verifiers.kinds import KINDS
from pav.tasks.engine.checkpoints import load_tokenizer
from pav.tasks.engine.scorer import CALIBRATION_FILE, Scorer
from pav.tasks.engine.tokens import joined_with_ends
from pav.tasks.runner.devices import resolve_device


@dataclass(frozen=True)
class Solution:
    """A prompt with the steps after it; `is_finished` where the response ends with them."""

    prompt: str
    steps: tuple[str, ...]
    is_finished: bool = True


@dataclass(frozen=True)
class StepScores:
    """Calibrated scores of a solution in [0, 1]: at the end of the prompt and of each step."""

    prompt: float
    steps: tuple[float, ...]


class Verifier:
    """One head of a trained verifier.

    `heads` are all of its folder's, `head` is the one that scores; `kind` is one of `KINDS`, empty
    where the folder does not say, and `note` is what users of such scores are to know.
    """

    def __init__(self, folder: Path, *, head: str, device: str) -> None:
        """Load the folder; InputError says what is wrong with it."""
        engine = EngineSettings()
        place = resolve_device(device, 0)
        # Rounded weights would give other scores than the store holds.
        self._scorer = Scorer(
            folder, device=place, dtype="float32", score_tokens=engine.score_tokens
        )
        self._tokenizer = load_tokenizer(folder)
        self._limit: int | None = self._scorer.max_tokens
        details = json.loads((folder / CALIBRATION_FILE).read_text())
        self._family = _family(details.get("domain"))
        self.kind = str(details.get("kind", ""))
        # Its scorer was opened, so that the kind is one that there is.
        self.note = KINDS[self.kind].score_note if self.kind else ""
        self.heads = self._scorer.heads
        self.head = _chosen(folder, self.heads, head)

    def score(self, prompt: str, steps: Sequence[str], *, is_finished: bool = True) -> list[float]:
        """Return the score at the end of each step.

        Args:
            prompt: as the model card has it, to the character.
            steps: joined, they are the response.
            is_finished: whether the response ends with the last step.
        """
        [scores] = self.score_all([Solution(prompt, tuple(steps), is_finished)])
        return list(scores.steps)

    def score_all(self, solutions: Sequence[Solution]) -> list[StepScores]:
        """Return the scores of many solutions, which share forward passes."""
        encoded = [self.encode(solution) for solution in solutions]
        found = self._scorer.score([ids for ids, _ in encoded], [ends for _, ends in encoded])
        column = self.heads.index(self.head)
        rows = [scores[:, column].tolist() for scores in found]
        return [StepScores(first, tuple(rest)) for first, *rest in rows]

    def encode(self, solution: Solution) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return a solution's token ids and the last one of each text; InputError where it is none.

        Every text is encoded on its own, as in training.
        """
        texts = {"prompt": solution.prompt}
        texts |= {f"step {number}": text for number, text in enumerate(solution.steps, start=1)}
        pieces = [self._encode_text(name, text) for name, text in texts.items()]
        end = (int(self._tokenizer.eos_token_id),)
        is_whole = solution.is_finished and bool(solution.steps)
        ids, ends = joined_with_ends(pieces, end=end if is_whole else ())
        if self._limit is not None and len(ids) > self._limit:
            raise InputError(
                f"expected at most {self._limit} tokens, which is all that this verifier reads, "
                f"got {len(ids)}"
            )
        return ids, ends

    def prompt(self, question: str, answer: str = "") -> str:
        """Return the prompt that asks a question; of countdown the answer is part of it."""
        family = self._known_family("question")
        if answer:
            return family.prompt(family.problem(question, answer, problem_id="", split="test"))
        return family.prompt(family.unanswered(question, problem_id="", split="test"))

    def split(self, response: str) -> tuple[str, ...]:
        """Return a response cut into steps as in training."""
        return self._known_family("response").split_steps(response)

    def _encode_text(self, name: str, text: str) -> tuple[int, ...]:
        ids = tuple(self._tokenizer.encode(text, add_special_tokens=False))
        if not ids:
            raise InputError(f"{name}: expected text, got {text!r}")
        return ids

    def _known_family(self, name: str) -> Domain:
        if self._family is None:
            raise InputError(
                f"{name}: expected prompt and steps instead, since {CALIBRATION_FILE} of this "
                "verifier does not name a domain that this version knows"
            )
        return self._family


def load_verifier(folder: str | Path, *, head: str = "", device: str = "auto") -> Verifier:
    """Return the verifier of a folder that `pav train` made (the table `verifiers` names it).

    Args:
        folder: its `model` folder, with `config.json`, weights and `pav_verifier.json`.
        head: whose scores are wanted; needed where the folder has several.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
    """
    return Verifier(Path(folder), head=head, device=device)


def _chosen(folder: Path, heads: Sequence[str], head: str) -> str:
    if not head and len(heads) == 1:
        return heads[0]
    if head not in heads:
        got = repr(head) if head else "none"
        raise InputError(
            f"verifier {str(folder)!r}: expected a head of {', '.join(heads)}, got {got}"
        )
    return head


def _family(key: object) -> Domain | None:
    """Return the domain that a folder names; an older or newer `pav` may have named another."""
    try:
        return domain(str(key))
    except (TypeError, ValueError):
        return None
