"""Which step labels say that a step is right: what formats of booleans can hold."""

from pav.models.formats.records import Kind

# What a boolean does not keep of a label of that kind.
LOST = {
    "soft": "soft values are lost: true is any value above 0",
    "rating": "ratings are lost: true is 1 or 0, false is -1",
}


def is_right(kind: Kind, value: float) -> bool:
    """Return whether a label says that a step is right; a neutral rating does."""
    if kind == "error":
        return value == 0
    return value >= 0 if kind == "rating" else value > 0
