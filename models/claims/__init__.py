"""Statistics of comparisons: intervals, paired outcomes, coverage."""
