"""The README.md beside a verifier's weights: what it says, and what it was fitted on."""

from collections.abc import Mapping
from typing import Any

from pav.models.domains import domain

_EQUATIONS = {
    "q": "Q^pi(s, a) = E[correct | the policy pi goes on from (s, a)]   (Eq. 1), "
    "or best-of-K of it where K > 1",
    "orm_all": "P(correct | the finished solution)",
    "orm_seed": "P(correct | the finished solution)",
}
_DATA = {
    "q": "every step end of sampled solutions and of the rollouts that labelled them, "
    "with the share of correct rollouts as its target",
    "orm_all": "the last step of every graded full completion that the labels paid for",
    "orm_seed": "the last step of the base policy's sampled solutions",
}
_TARGETS = {
    "": "the verdict of the solution, 0 or 1",
    "counts": "the share of right ones among each prefix's own rollouts; the verdict at the end",
    "passing": "the share of right ones among each prefix's own rollouts and all that pass "
    "through it; the verdict at the end",
}


def verifier_card(parameters: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Return a verifier's model card as Markdown."""
    kind = parameters["kind"]
    heads = "\n".join(
        f"| {number} | {head} | {policy} | {k} |"
        for number, (head, policy, k) in enumerate(
            zip(
                parameters["heads"], parameters["head_policies"], parameters["best_of_k"],
                strict=True,
            )
        )
    )  # fmt: skip
    return _CARD.format(
        name=parameters["verifier"],
        domain=domain(parameters["domain"]).name,
        equation=_EQUATIONS[kind],
        data=_DATA[kind],
        targets=_TARGETS[parameters["targets"]],
        heads=heads,
        training=_counted(facts["training_data"]),
        validation=_counted(facts["validation_data"]),
        metrics=_metrics_table(facts["metrics"]),
        balance="drawn evenly under and over 0.5, with inverse weights in the loss"
        if parameters["balance"]
        else "drawn as they come",
        **{key: facts[key] for key in ("unit_id", "best_step", "steps", "validation_loss")},
    )


def _counted(data: Mapping[str, int]) -> str:
    return f"{data['sequences']:,} solutions with {data['targets']:,} labelled step ends"


def _metrics_table(metrics: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    names = ("num_prefixes", "auc", "auc_finished", "brier", "log_loss_before_calibration",
             "log_loss", "ece_before_calibration", "ece")  # fmt: skip
    lines = [f"| split | head | {' | '.join(names)} |", "| --- " * (len(names) + 2) + "|"]
    for split, heads in metrics.items():
        for head, values in heads.items():
            cells = (f"{values[name]:.4g}" if name in values else "-" for name in names)
            lines.append(f"| {split} | {head} | {' | '.join(cells)} |")
    return "\n".join(lines)


_CARD = """\
---
library_name: transformers
pipeline_tag: token-classification
---
# Verifier `{name}` ({domain})

A stock token classifier, initialised from the base policy. Read at the last token of the prompt
and of each step (the end-of-text token closes the last step of a finished solution):
value = sigmoid(scale * logit + bias), with scale and bias of each head in `pav_verifier.json`.

- Estimates: {equation}. The equations are in the project's `docs/method.md`.
- Fitted on: {data}. Problems of the training split only.
- Target: {targets}. Cut-off and unreadable samples count as wrong, failed ones not at all.
- Rows: {training}; step ends {balance}. A step end weighs as often as the policy's samples
  reach it. Stopped and calibrated on validation problems: {validation}. A calibration is kept
  where it lowers the loss of validation problems left out of its fit; else scale is 1, bias 0.
- Loss: soft-label cross-entropy, all step ends of a solution in one forward pass. Step
  {best_step} of {steps} is kept, validation loss {validation_loss:.4f}.
- Unit `{unit_id}`.

| head | name | policy that completes | K |
| --- | --- | --- | --- |
{heads}

Held-out solutions of the base, whose problems were never trained on (labels: verdicts at the end,
and for values the shares of correct rollouts of each prefix):

{metrics}

Load with `AutoModelForTokenClassification.from_pretrained(folder)`.
"""
