"""Math-Shepherd's hard estimation: a prefix is worth 1 where enough rollouts from it are right.

A regression: the output is the chance itself, fitted by squared error (arXiv 2312.08935, Eq. 3).
"""

import numpy as np
import polars as pl
from hard_settings import HardSettings
from scipy.special import logit

from pav.models.verifiers.completions import rollout_completions, solution_completions
from pav.models.verifiers.data import TargetSequence, value_sequences
from pav.models.verifiers.kind import CardWords, Kind, Link, VerifierSpec


def specs(settings):
    """Return the one network, which is trained as long as Q is."""
    knobs = settings.plugins.of(HardSettings).model_dump(mode="json")
    return [
        VerifierSpec(
            name="hard", heads=("hard",), policies=("base",), best_of_k=(1,),
            steps=settings.train.steps, knobs=knobs,
        )
    ]  # fmt: skip


def examples(work, published, /, *, held_out):
    """Return the base's solutions, with hard estimates at every step end that has rollouts."""
    base = work.policies["base"]
    mine = solution_completions(published.solutions.filter(pl.col("policy_id") == base))
    rollouts = rollout_completions(published.rollouts, published.prefixes, policy_id=base)
    sequences = value_sequences(mine, rollouts, own=mine, passing=False)
    return [hardened(each, work.knobs["fewest_right"]) for each in sequences]


def hardened(sequence, fewest_right):
    """Return targets of 0 and 1; at the end of a solution that of its verdict."""
    *prefixes, end = (tally.num_correct for tally in sequence.tallies)
    targets = [*(count >= fewest_right for count in prefixes), end > 0]
    columns = (np.array(values, np.float32)[:, None] for values in (targets, sequence.weights))
    return TargetSequence(sequence.prefix, *columns)


def loss(work):
    """Return the squared error, which needs no torch of its own."""

    def squared_error(outputs, targets, weights, /, *, normaliser):
        return (weights * (outputs.float() - targets) ** 2).sum() / normaliser

    return squared_error


def card(work):
    """Return the words of the model card."""
    fewest = work.knobs["fewest_right"]
    return CardWords(
        equation=f"the chance that at least {fewest} of a prefix's rollouts are right",
        data="every step end of the base policy's solutions that has rollouts of its own",
        targets=f"1 where at least {fewest} rollouts were right, else 0; the verdict at the end",
        meaning="A hard estimate grows with the number of rollouts that labelled it.",
        loss="squared error",
    )


HARD = Kind(
    specs=specs,
    examples=examples,
    card=card,
    titles={"hard": "hard estimation"},
    loss=loss,
    link=Link(
        log_odds=lambda outputs: logit(np.clip(outputs, 1e-3, 1 - 1e-3)),
        output=lambda chances: chances,
        code="torch.logit(logits.clamp(1e-3, 1 - 1e-3))",
    ),
)
