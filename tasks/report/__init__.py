"""The report of a run: arms, paired differences, figures and the page."""
