"""`pav import` and `pav export`: solutions and step labels from and to files of others' formats."""

from pav.models.settings import RunSettings
from pav.tasks.database.export import Exported, export_file
from pav.tasks.database.publishing import publish_database
from pav.tasks.database.runs import check_faults
from pav.tasks.imports.plan import plan_import
from pav.tasks.imports.work import Imported, import_file
from pav.tasks.store.out_files import check_out
from pav.tasks.store.store import Store


def bring_in(form: str, path: str, settings: RunSettings, store: Store, *, policy: str) -> Imported:
    """Publish a file as a unit of the store; return what it holds."""
    plan = plan_import(path, form=form, policy=policy, settings=settings)
    return import_file(store, plan, grade=settings.grade)


def publish(store: Store) -> None:
    """Rebuild the database, with what was imported in it; WorkError where it has faults."""
    check_faults(store, [fault.text for fault in publish_database(store).faults])


def hand_out(form: str, out: str, store: Store, *, policy: str, split: str) -> Exported:
    """Write the store's labelled solutions to a file; return what was written and what is lost."""
    check_out(out)
    return export_file(store, form, out, policy=policy, split=split)
