"""Notes on finished labels: their price, and the estimate against the outcome."""

from collections.abc import Mapping, Sequence

from pav.models.labels.budget import total_cost
from pav.models.settings import RunnerSettings, RunSettings
from pav.tasks.label.estimates import LabelEstimate, known_estimate, priced
from pav.tasks.label.plan import labelled
from pav.tasks.store.manifests import read_tables
from pav.tasks.store.store import Store
from pav.tasks.store.units import Manifest, Unit


def label_notes(
    settings: RunSettings,
    store: Store,
    manifests: Sequence[Manifest],
    *,
    label_units: Sequence[Unit],
) -> tuple[str, ...]:
    """Return what is to be said of finished labels: their price, and estimate against outcome.

    `label_units` are those that pilots are cut from.
    """
    done = labelled(manifests)
    cost = total_cost(manifest.cost for manifest in done)
    estimate = known_estimate(settings, store, label_units)
    notes = [_against(estimate.total, cost)] if estimate else []
    return (*_price_note(settings.runner, store, done, cost), *notes)


def estimate_words(estimate: LabelEstimate) -> str:
    """Return an estimate in a few words."""
    return f"estimated {_words(estimate.total)}"


def _price_note(
    runner: RunnerSettings, store: Store, manifests: Sequence[Manifest], cost: Mapping[str, float]
) -> list[str]:
    price = runner.device_hour_price * cost.get("seconds", 0.0) / 3600
    return [priced(price, _num_labels(store, manifests))] if price else []


def _num_labels(store: Store, manifests: Sequence[Manifest]) -> int:
    columns = ["prefix_id", "policy_id"]
    return read_tables(store, manifests, "label_blocks", columns=columns).n_unique()


def _against(estimated: Mapping[str, float], cost: Mapping[str, float]) -> str:
    """Return an estimate beside what came, with how much more that was."""
    more = {
        item: f" ({100 * (cost[item] / estimated[item] - 1):+.0f} %)" if estimated[item] else ""
        for item in ("seconds", "generated_tokens", "rollouts")
    }
    return f"estimated {_words(estimated)}; took {_words(cost, more)}"


def _words(items: Mapping[str, float], more: Mapping[str, str] | None = None) -> str:
    notes = more or {}
    return ", ".join(
        [
            f"{items['seconds']:,.0f} s of workers{notes.get('seconds', '')}",
            f"{items['generated_tokens'] / 1e6:,.2f} M tokens{notes.get('generated_tokens', '')}",
            f"{items['rollouts']:,.0f} rollouts{notes.get('rollouts', '')}",
        ]
    )
