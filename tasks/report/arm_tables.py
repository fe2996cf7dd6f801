"""The report's tables of arms: accuracy and cost, final picks, compute against the ORM."""

from collections.abc import Sequence
from dataclasses import dataclass

from pav.models.search.strategies import is_stepwise
from pav.tasks.report.arm_names import (
    ALPHA,
    DASH,
    TIMES,
    Row,
    amount,
    arm_label,
    pick_label,
    pick_words,
    points,
    seeds_label,
)
from pav.tasks.report.tables import Table


def arm_table(arms: Sequence[Row], *, caption: str) -> Table:
    """Return every arm with accuracy, its interval, the pass of its candidates and its cost."""
    columns = ("arm", "alpha", "final pick", f"seeds, pipeline {TIMES} search", *GROUP_COLUMNS)
    rows = tuple(
        (
            arm_label(arm),
            f"{arm['alpha']:g}" if arm["verifier"] == "pav" else DASH,
            _arm_picks([arm]) or DASH,
            f"{arm['num_pipeline_seeds']} {TIMES} {arm['num_search_seeds']}",
            *_arm_cells(arm),
        )
        for arm in arms
    )
    return Table("arms", columns, rows, (0, 2), caption)


@dataclass(frozen=True)
class ArmGroup:
    """One arm at each of its numbers of candidates, under its name and what holds for all."""

    label: str
    note: str
    rows: tuple[tuple[str, ...], ...]


GROUP_COLUMNS = (
    "N", "accuracy %", "interval", "pass %", "generated tokens", "scored tokens", "time",
)  # fmt: skip


def arm_groups(arms: Sequence[Row]) -> list[ArmGroup]:
    """Return the arms with one row for each number of candidates, narrow enough for any page."""
    groups: dict[str, list[Row]] = {}
    for arm in arms:
        groups.setdefault(arm_label(arm), []).append(arm)
    return [
        ArmGroup(label, _arm_note(found), tuple(_arm_cells(arm) for arm in found))
        for label, found in groups.items()
    ]


def _arm_cells(arm: Row) -> tuple[str, ...]:
    """Return an arm's number of candidates, accuracy, interval, pass and cost."""
    return (
        str(arm["num_samples"]),
        points(arm["accuracy"]),
        f"{points(arm['low'])} to {points(arm['high'])}",
        points(arm["pass_rate"]),
        amount(arm["generated_tokens"]),
        amount(arm["scored_tokens"]),
        _seconds(arm["seconds"]),
    )


def _arm_note(arms: Sequence[Row]) -> str:
    """Return seeds, alpha and final pick of an arm, where they apply."""
    seeds = " or ".join(dict.fromkeys(seeds_label(arm) for arm in arms))
    alphas = " or ".join(dict.fromkeys(f"{arm['alpha']:g}" for arm in arms))
    picks = _arm_picks(arms)
    said = [
        f"{ALPHA} = {alphas}" if arms[0]["verifier"] == "pav" else "",
        f"final pick: {picks}" if picks else "",
        seeds,
    ]
    return "; ".join(filter(None, said))


def _arm_picks(arms: Sequence[Row]) -> str:
    """Return what validation problems chose to pick by; other arms pick by their own score."""
    is_chosen = is_stepwise(arms[0]["strategy"]) or arms[0]["verifier"] == "pav"
    return pick_words(" / ".join(str(arm["final_pick"]) for arm in arms)) if is_chosen else ""


def pick_table(arms: Sequence[Row], picks: Sequence[str], *, caption: str) -> Table:
    """Return the accuracy of the same beams by each rule of the final pick, a column for each N."""
    chosen = {pick for arm in arms for pick in str(arm["final_pick"]).split(" / ")}
    columns = ("final pick", *(f"N = {arm['num_samples']}" for arm in arms))
    rows = [
        (
            f"{pick_label(pick)} (chosen)" if pick in chosen else pick_label(pick),
            *(points(arm[f"accuracy_{pick}"]) for arm in arms),
        )
        for pick in picks
    ]
    rows.append(("any finished candidate is right", *(points(arm["pass_rate"]) for arm in arms)))
    return Table("picks", columns, tuple(rows), caption=caption)


def compute_table(ratios: Sequence[Row], *, caption: str) -> Table:
    """Return what each beam needs to reach the better ORM's accuracy, as ratios above 1 if less."""
    columns = (
        "beam", "matches", "at accuracy %", "candidates needed", "ratio of candidates", "interval",
        "of generated tokens", "of all tokens", "of beam width",
    )  # fmt: skip
    # Every arm reaches an accuracy of 0 at no cost, so a ratio would mean nothing.
    ratios = [row for row in ratios if row["accuracy"] > 0]
    rows = tuple(
        (
            arm_label(dict(zip(_ARM, (*row["arm"].split(), ""), strict=False))),
            f"{arm_label(row['target'])}, N = {row['target']['num_samples']}",
            points(row["accuracy"]),
            amount(row["candidates"]) if row["candidates"] else "not reached",
            _ratio(row["candidate_ratio"]),
            f"{_ratio(row['candidate_ratio_low'])} to {_ratio(row['candidate_ratio_high'])}",
            *(_ratio(row[f"{name}_ratio"]) for name in ("generated_tokens", "all_tokens", "width")),
        )
        for row in ratios
    )
    return Table("compute", columns, rows, (0, 1), caption)


_ARM = ("strategy", "verifier", "prover")


def _ratio(number: float | None) -> str:
    """Return a ratio as a multiple; 0 and None stand for never."""
    return f"{number:.2f}{TIMES}" if number else "never"


def _seconds(seconds: float | None) -> str:
    """Return seconds for each problem in a readable unit."""
    if seconds is None:
        return DASH
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
