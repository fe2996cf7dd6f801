"""docs/database.md says what the database is; these tests hold it to that."""

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from pav import sql

TEXT = (Path(__file__).parents[2] / "docs" / "database.md").read_text(encoding="utf-8")
SHOWN = {*sql.names("schema"), *sql.names("views")}
SECTIONS = {
    match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", TEXT, flags=re.MULTILINE)
}


@pytest.mark.parametrize("name", [*sql.names("schema"), *sql.names("views")])
def test_the_page_names_every_column_of_a_table(ask, name):
    columns = {row["column_name"] for row in ask(f"describe {name}")}
    if name == "search_results":
        assert columns == {row["column_name"] for row in ask("describe all_search_results")}
    else:
        assert columns <= set(re.findall(r"`(\w+)`", _row(name)))


def _row(name):
    rows = [line for line in TEXT.splitlines() if line.startswith(f"| `{name}` |")]
    return max(rows, key=len)


@pytest.mark.parametrize("folder", ["queries", "checks"])
def test_the_page_names_every_saved_query_and_check(folder):
    assert set(sql.names(folder)) <= set(SECTIONS)


@pytest.mark.parametrize("name", sql.names("macros"))
def test_the_page_shows_how_a_macro_is_called(name):
    assert re.search(rf"`{name}\([^`]+\)`", TEXT)


def test_the_page_names_nothing_that_is_not_there():
    known = {*SHOWN, *sql.names("queries"), *sql.names("checks")}
    assert set(SECTIONS) == known


def test_the_recipe_for_raw_rollouts_works_from_any_folder(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = re.findall(r"```sql\n(.*?)```", TEXT, flags=re.DOTALL)[0]
    moved = shutil.copytree(store.root, tmp_path / "moved")
    with duckdb.connect(str(moved / "labels.duckdb"), read_only=True) as connection:
        for statement in connection.extract_statements(
            recipe.replace("/new/place/of/the/store", str(moved))
        ):
            rows = connection.execute(statement).fetchall()
    assert rows == [("base", "correct", 1), ("base", "wrong", 1)]


QUESTIONS = re.findall(r'^pav sql "([^"]+)"$', TEXT, flags=re.MULTILINE)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_questions_of_the_page_can_be_asked(ask, question):
    assert ask(question) or "…" in question
