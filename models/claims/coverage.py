"""Simulate how often each kind of interval holds the true difference of two arms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pav.models.claims import intervals as statistics

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is drawn anew in each trial; standard deviations and the effect are in logits.

    A problem has a difficulty that both arms share and a taste for one of the arms; a pipeline
    seed shifts each arm as a whole, and each arm on each problem.
    """

    num_seeds: int = 3
    num_problems: int = 262
    effect: float = 0.5
    level: float = 1.0
    problem_sd: float = 1.5
    taste_sd: float = 0.5
    seed_sd: float = 0.2
    noise_sd: float = 1.0


def simulate(world: World, num_trials: int, *, seed: int) -> Floats:
    """Return paired differences of correctness, shape (trials, S, P)."""
    random = np.random.default_rng(seed)
    difficulty = random.normal(world.level, world.problem_sd, (num_trials, 1, world.num_problems))
    correct = [
        _correct(world, difficulty + side * world.effect / 2, random) for side in (1.0, -1.0)
    ]
    return correct[0] - correct[1]


def coverage_simulation(
    world: World,
    *,
    num_trials: int = 1000,
    num_resamples: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, float]:
    """Return, for each kind of interval, the share of trials in which it holds the true mean.

    Trials in which there is no such interval are left out of its share. The truth is the mean
    over all problems and seeds that the world could draw.
    """
    truth = float(simulate(world, 2000, seed=seed + 1).mean())
    weights = statistics.bootstrap_weights(world.num_problems, num_resamples, seed=seed)
    held: dict[str, list[bool]] = {}
    for trial in simulate(world, num_trials, seed=seed):
        intervals = {
            "over_problems": statistics.over_pairs(trial, weights, confidence=confidence),
            "over_seeds": statistics.over_seeds(trial, confidence=confidence),
            "over_both": statistics.over_both(trial, confidence=confidence),
            "resampled_both": statistics.resampled_both(trial, weights, confidence=confidence),
        }
        for name, interval in intervals.items():
            if interval is not None:
                held.setdefault(name, []).append(interval.low <= truth <= interval.high)
    return {name: float(np.mean(each)) for name, each in held.items()}


def _correct(world: World, logits: Floats, random: np.random.Generator) -> Floats:
    """Return whether one arm is right, by trial, seed and problem."""
    trials, _, problems = logits.shape
    taste = random.normal(0, world.taste_sd, (trials, 1, problems))
    shift = random.normal(0, world.seed_sd, (trials, world.num_seeds, 1))
    noise = random.normal(0, world.noise_sd, (trials, world.num_seeds, problems))
    chance = expit(logits + taste + shift + noise)
    right: Floats = (random.random(chance.shape) < chance).astype(np.float64)
    return right
