"""The kinds of verifier by name, and which networks of them the settings ask for."""

from pav.models.errors import InputError
from pav.models.plugins import Registry
from pav.models.settings import RunSettings
from pav.models.verifiers.kind import Kind, VerifierSpec
from pav.models.verifiers.outcomes import ORM_ALL, ORM_SEED
from pav.models.verifiers.values import Q

KINDS: Registry[Kind] = Registry(
    "verifiers",
    {"q": Q, "orm_all": ORM_ALL, "orm_seed": ORM_SEED},
    is_entry=lambda entry: isinstance(entry, Kind),
)


def kind_named(name: str, *, where: str) -> Kind:
    """Return the kind that a file names; InputError where the package that adds it is missing."""
    try:
        return KINDS[name]
    except KeyError as error:
        raise InputError(
            f"{where}: expected a kind of {', '.join(KINDS)}, got {name!r}; install the package "
            "that adds it"
        ) from error


def verifier_specs(settings: RunSettings) -> list[tuple[str, VerifierSpec]]:
    """Return the kind of every network that the settings ask for with the network.

    The long trainings stand first, and of equally long ones the first network of each kind.
    """
    specs = [
        (name, spec, place)
        for name, kind in KINDS.items()
        for place, spec in enumerate(kind.specs(settings))
    ]
    ordered = sorted(specs, key=lambda member: (-member[1].steps, member[2]))
    found = [(name, spec) for name, spec, _ in ordered]
    _check_distinct(found)
    return found


def _check_distinct(specs: list[tuple[str, VerifierSpec]]) -> None:
    """Raise InputError where two networks share a name or a head: searches read heads by name."""
    owners: dict[str, str] = {}
    for kind, spec in specs:
        for name in {spec.name, *spec.heads}:
            if name in owners:
                raise InputError(
                    f"verifiers: expected networks and heads with names of their own, got {name!r} "
                    f"of the kinds {owners[name]!r} and {kind!r}; rename the plug-in's"
                )
            owners[name] = kind


def head_title(head: str) -> str:
    """Return what the report calls a head; its name where no kind has words for it."""
    titles = (kind.titles for kind in KINDS.values())
    return next((words[head] for words in titles if head in words), head)
