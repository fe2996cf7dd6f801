"""Stages `label`, `pilot` and `allocate`: Monte Carlo rollouts of prefixes, and what they cost."""
