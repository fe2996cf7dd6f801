"""Labels: estimates, intervals, stopping rules and the allocation of a budget."""
