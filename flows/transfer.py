"""`pav import` and `pav export`: solutions and step labels from and to files of others' formats."""

from pav.models.settings import RunSettings
from pav.tasks.import_plan import plan_import
from pav.tasks.importing import Imported, import_file
from pav.tasks.publishing import publish_database
from pav.tasks.store import Store


def bring_in(form: str, path: str, settings: RunSettings, store: Store, *, policy: str) -> Imported:
    """Publish a file as a unit of the store, and the database with it; return what it holds."""
    plan = plan_import(path, form=form, policy=policy, problems=settings.problems)
    imported = import_file(store, plan, grade=settings.grade)
    publish_database(store)
    return imported
