"""Verifiers without I/O: examples and their weights, losses, training, calibration, metrics."""
