"""The setting `prepare.policies` in short: a name with its number of steps, or with its folder."""

from pav.models.settings import PolicySettings


def named_policies(**given: str | int) -> tuple[PolicySettings, ...]:
    """Return the three policies of the default, those that are given in place of theirs."""
    default: dict[str, str | int] = {"weak": 500, "base": 1000, "strong": 1500}
    return tuple(
        PolicySettings(name=name, path=value)
        if isinstance(value, str)
        else PolicySettings(name=name, steps=value)
        for name, value in (default | given).items()
    )
