"""Which unit an import is: the file's bytes, its format, and the domain that reads it."""

from dataclasses import dataclass
from pathlib import Path

from pav.models.domains import domain_key
from pav.models.formats import format_of
from pav.models.settings import RunSettings
from pav.tasks.problems.solution_files import ImportedFile, read_imported
from pav.tasks.store.units import Unit, Work

STAGE = "import"
REVISION = 3


class ImportWork(Work):
    """A user's file: its name and content, and how it is read.

    `domain` is the domain's key; `policy` is the one of rows that name none.
    """

    format: str
    domain: str
    policy: str
    file: str
    sha256: str


@dataclass(frozen=True)
class ImportPlan:
    """A file that was read and found whole, and the unit that its rows become."""

    unit: Unit
    file: ImportedFile

    @property
    def work(self) -> ImportWork:
        """What the unit does."""
        return ImportWork.of(self.unit)


def plan_import(path: str, *, form: str, policy: str, settings: RunSettings) -> ImportPlan:
    """Return the unit of a file; InputError where the file or the format's name is wrong.

    `policy` names the policy of rows that name none; empty is `imported:FORMAT`.
    """
    known = format_of(form, asked_by="FORMAT")
    # The format's own mark of the answer counts unless the user sets another one.
    problems = settings.problems
    pattern = problems.answer_pattern or known.answer_pattern
    marked = problems.model_copy(update={"answer_pattern": pattern})
    key = domain_key(settings.model_copy(update={"problems": marked}))
    file = read_imported(path, form=form, domain_key=key, asked_by="FILE")
    name = Path(path).name
    work = ImportWork(
        format=form,
        domain=key,
        policy=policy or f"imported:{form}",
        file=name,
        sha256=file.sha256,
    )
    unit = Unit(STAGE, f"import {form} {name}", REVISION, work.parameters())
    return ImportPlan(unit, file)
