"""What samples and scores: the driver of many algorithms, engines, tokens, checkpoints."""
