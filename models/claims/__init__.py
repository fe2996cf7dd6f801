"""What may be said of a comparison: intervals, paired outcomes, coverage."""
