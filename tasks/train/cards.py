"""The README.md beside a verifier's weights: how to use it, and what it was fitted on."""

import json
from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from jinja2 import Environment, PackageLoader, StrictUndefined

from pav.models.domains import domain
from pav.models.verifiers.kinds import KINDS
from pav.tasks.engine.scorer import CALIBRATION_FILE
from pav.tasks.store.units import Unit
from pav.tasks.train.card_examples import CardExample, prompt_template, step_rule
from pav.tasks.train.plan import TrainWork

_COLUMNS = ("num_prefixes", "auc", "auc_finished", "brier", "log_loss", "ece")
_BEFORE = "_before_calibration"
# metric -> its name on the Hub
_HUB_METRICS = {"auc": "roc_auc", "brier": "brier_score", "ece": "expected_calibration_error"}

Metrics = Mapping[str, Mapping[str, Mapping[str, float]]]


def verifier_card(
    unit: Unit, facts: Mapping[str, Any], *, example: CardExample, is_embedded: bool
) -> str:
    """Return a verifier's model card: metadata of the Hub, then Markdown.

    Args:
        unit: the unit that trained the verifier.
        facts: what came of it, as `pav_verifier.json` holds it.
        example: the solution whose scores the card shows how to reproduce.
        is_embedded: whether the base policy was trained by `pav`.
    """
    work = TrainWork.of(unit)
    family, kind = domain(work.domain), KINDS[work.kind]
    page = _environment().get_template("model_card.md.j2").render(
        facts,
        card_data=_metadata(facts, family.name, is_embedded=is_embedded).to_yaml(),
        domain=family.name,
        template=prompt_template(family),
        step_rule=step_rule(work.domain),
        example=example,
        is_embedded=is_embedded,
        calibration_file=CALIBRATION_FILE,
        words=kind.card(work),
        log_odds=kind.link.code,
        heads=zip(work.heads, work.head_policies, work.best_of_k, strict=True),
        base=work.policies["base"],
        problems=unit.inputs["problems"].content,
        is_balanced=work.balance,
        table=_metrics_table(facts["metrics"]),
        num_samples=_num_inputs(unit, "sample"),
        num_labels=_num_inputs(unit, "label"),
    )  # fmt: skip
    return str(ModelCard(page))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pav.tasks.train", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    environment.filters["counted"] = _counted
    return environment


def _quoted(text: str) -> str:
    """Return a text as a string that Python reads, on one line."""
    return json.dumps(text, ensure_ascii=False)


def _counted(data: Mapping[str, int]) -> str:
    return f"{data['sequences']:,} solutions with {data['targets']:,} labelled step ends"


def _num_inputs(unit: Unit, stage: str) -> int:
    return sum(role.partition(":")[0] == stage for role in unit.inputs)


def _metadata(facts: Mapping[str, Any], domain_name: str, *, is_embedded: bool) -> ModelCardData:
    """Return what the Hub reads; no `pipeline_tag`, as no pipeline scores steps."""
    results = _results(facts["metrics"], domain_name)
    return ModelCardData(
        library_name="transformers",
        tags=["process-reward-model", "verifier", domain_name],
        model_name=facts["verifier"] if results else None,
        eval_results=results or None,
        # The project makes the training data of an embedded policy, so it chooses the licence.
        license="apache-2.0" if is_embedded else "other",
        license_name=None if is_embedded else "licence-of-the-base-checkpoint",
    )


def _results(metrics: Metrics, domain_name: str) -> list[EvalResult]:
    """Return the metrics of test problems as a `model-index` holds them."""
    return [
        EvalResult(
            task_type="other",
            task_name="chance of success at each step",
            dataset_type=domain_name,
            dataset_name=f"{domain_name}, held-out problems",
            dataset_split="test",
            metric_type=_HUB_METRICS[name],
            metric_name=f"{name} of {head}",
            metric_value=round(value, 4),
        )
        for head, values in metrics.get("test", {}).items()
        for name, value in values.items()
        if name in _HUB_METRICS
    ]


def _metrics_table(metrics: Metrics) -> list[list[str]]:
    """Return a header and a row for each split and head; empty where nothing was measured."""
    known = {name for heads in metrics.values() for values in heads.values() for name in values}
    names = [name for each in _COLUMNS for name in (f"{each}{_BEFORE}", each) if name in known]
    rows = [
        [split, head, *(f"{values[name]:.4g}" if name in values else "-" for name in names)]
        for split, heads in metrics.items()
        for head, values in heads.items()
    ]
    titles = [name.replace(_BEFORE, " before calibration") for name in names]
    return [["split", "head", *titles], *rows] if rows else []
