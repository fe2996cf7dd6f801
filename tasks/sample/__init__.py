"""Stage `sample`: solutions of the base policy or of a file, and the prefixes on their way."""
