"""Stage `problems`, and the user's files that problems and solutions are read from."""
