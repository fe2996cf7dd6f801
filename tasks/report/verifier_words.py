"""What a report says of verifiers: where scores are far off, and whether their mean drifts."""

from collections.abc import Sequence

from pav.tasks.report.arm_names import MINUS, Row, verifier_label


def calibration_words(bins: Sequence[Row]) -> list[str]:
    """Return a sentence for each verifier whose scores are far off somewhere, or that none is."""
    if not bins:
        return [
            "No verifier is off by a factor of 1.5 or more in any bin of scores that holds at "
            "least 20 held-out prefixes."
        ]
    return [
        f"{verifier_label(str(row['verifier']))}: where it says {row['mean_score']:.2f} on "
        f"average, {row['mean_label']:.2f} of the rollouts are right ({row['num_prefixes']:,} "
        f"held-out prefixes). It is too {'high' if _is_high(row) else 'low'} by a factor of "
        f"{row['factor']:.1f} there."
        for row in bins
    ]


def _is_high(row: Row) -> bool:
    return float(row["mean_score"]) > float(row["mean_label"])


def drift_words(drift: Sequence[Row]) -> str:
    """Return whether Q's mean over the base's own test solutions changes with their steps."""
    if len(drift) < 2:
        return ""
    means = ", ".join(f"{row['mean_score']:.3f}" for row in drift)
    said = (
        f"Mean Q of the base policy's own {drift[0]['num_solutions']:,} test solutions after 0 to "
        f"{len(drift) - 1} steps: {means} (a solution that has ended keeps its last score). The "
        "chance of success has the same mean after any number of steps, so a calibrated Q is flat."
    )
    worst = max(drift[1:], key=lambda row: abs(row["change"]))
    change = f"{worst['change']:+.3f}".replace("-", MINUS)
    error = "unknown" if worst["error"] is None else f"{worst['error']:.3f}"
    steps = f"{worst['num_steps']} step{'' if worst['num_steps'] == 1 else 's'}"
    detail = f"{change} after {steps}, standard error {error}"
    if all(row["is_flat"] for row in drift[1:]):
        return f"{said} It is flat within its error (largest change {detail})."
    return (
        f"{said} It is not flat: {detail}. Q over- or underrates later steps against earlier ones."
    )
