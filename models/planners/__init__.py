"""Label planners: which prefixes of one solution or problem to roll out, and how often."""
