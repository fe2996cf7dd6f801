"""Computation only: records, settings, domains, estimators, search, losses and metrics."""
