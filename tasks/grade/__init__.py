"""Verdicts on responses: in this process where text tells, in killable ones where it does not."""
