"""What labels are worth: estimates, intervals, rules that stop, where a budget goes."""
