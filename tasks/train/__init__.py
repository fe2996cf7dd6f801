"""Stage `train`: verifiers fitted on labels, calibrated, and saved with a model card."""
