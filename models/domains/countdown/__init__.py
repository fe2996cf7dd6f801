"""Countdown: reach a target from numbers; text, exact solver, grading, hands."""
