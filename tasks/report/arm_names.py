"""The names of arms in report, artifacts and figures."""

from collections.abc import Mapping
from typing import Any

from pav.models.search.strategies import STRATEGIES
from pav.models.verifiers.kinds import head_title

Row = Mapping[str, Any]

ALPHA, TIMES, DASH, MINUS = (
    "\N{GREEK SMALL LETTER ALPHA}",
    "\N{MULTIPLICATION SIGN}",
    "\N{EN DASH}",
    "\N{MINUS SIGN}",
)

# Verifiers of arms; a network's head has its words in the registry of kinds.
_VERIFIERS = {
    "orm": "ORM",
    "q_product": "product of Q",
    "q_likely": f"Q {TIMES} likelihood",
    "orm_likely": f"ORM {TIMES} likelihood",
    "likely": "likelihood alone",
    "majority": "majority",
    "orm_majority": "ORM-weighted majority",
    "pav": f"Q + {ALPHA}·A",
}
_PICKS = {
    "q_last": "last Q",
    "q_product": "product of Q",
    "orm": "ORM",
    "q_likely": f"last Q {TIMES} likelihood",
    "orm_likely": f"ORM {TIMES} likelihood",
    "effective_last": "effective reward of the last step",
    "effective_mean": "mean effective reward",
    "effective_min": "least effective reward",
}


def arm_label(arm: Row) -> str:
    """Return the arm's name without its number of candidates, its prover included."""
    strategy = STRATEGIES[arm["strategy"]].title
    verifier = verifier_label(str(arm["verifier"]))
    words = f"{strategy} {verifier}".strip()
    prover = prover_label(arm["prover"])
    return f"{words}, {prover}" if prover else words


def verifier_label(verifier: str) -> str:
    """Return a verifier's name in words."""
    return _VERIFIERS.get(verifier) or head_title(verifier)


def prover_label(prover: str) -> str:
    """Return the prover in words: `Bo4`, `weak prover`, or nothing."""
    if not prover:
        return ""
    return "Bo" + prover[2:] if prover.startswith("bo") else f"{prover} prover"


def pick_label(pick: str) -> str:
    """Return the rule of the final pick in words."""
    return _PICKS.get(pick, pick)


def pick_words(picks: str) -> str:
    """Return rules of the final pick, as arms join them by a slash, in words and each once."""
    return " or ".join(dict.fromkeys(pick_label(pick) for pick in picks.split(" / ") if pick))


def seeds_label(arm: Row) -> str:
    """Return how often an arm was run, in pipeline seeds times search seeds."""
    pipelines, searches = arm["num_pipeline_seeds"], arm["num_search_seeds"]
    return f"{pipelines} pipeline {TIMES} {searches} search seed{'' if searches == 1 else 's'}"


def points(share: float | None, *, sign: bool = False) -> str:
    """Return a share of one in percentage points with one decimal, a dash where there is none."""
    if share is None or share != share:
        return DASH
    text = f"{100 * share:+.1f}" if sign else f"{100 * share:.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", MINUS)


def amount(number: float | None) -> str:
    """Return a count or seconds in at most four figures: `12.3`, `4,210`, `1.24 M`."""
    if number is None:
        return DASH
    if abs(number) >= 1e6:
        return f"{number / 1e6:.2f} M"
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"
