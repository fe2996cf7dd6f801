import os
import resource
import subprocess
import sys
import threading

import duckdb
import pytest

from pav.models.errors import InputError, PavError, WorkError
from pav.tasks.database.database import (
    DATABASE_VERSION,
    StoreFiles,
    build_database,
    check_database,
    run_query,
)
from pav.tasks.database.inputs import Sources
from pav.tasks.store.datasets import frame


def problems_file(path, *problem_ids, split="train"):
    rows = [{"problem_id": each, "split": split, "canonical_key": each} for each in problem_ids]
    frame("problems", rows).write_parquet(path)
    return path


def blocks_file(path, *blocks):
    rows = [
        {"prefix_id": "s", "policy_id": "p", "seed": 0, "block": number, "num_rollouts": rollouts,
         "num_correct": correct, "num_truncated": 0, "num_unparsed": 0, "num_failed": 0,
         "generated_tokens": 10, "stopping_rule": rule, "unit_id": path.stem}
        for number, correct, rollouts, rule in blocks
    ]  # fmt: skip
    frame("label_blocks", rows).write_parquet(path)
    return path


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "labels.duckdb"
    build_database(path, Sources({"problems": [problems_file(tmp_path / "one.parquet", "a", "b")]}))
    return path


def answer(path, query, **more):
    return run_query(path, query, **more).rows()


def test_an_empty_store_makes_a_database_with_every_table_and_no_faults(tmp_path):
    path = tmp_path / "new" / "labels.duckdb"
    build_database(path, Sources())
    assert answer(path, "select count(*) from advantages") == [(0,)]
    assert check_database(path) == []


def test_building_leaves_one_file_and_no_rest(database, tmp_path):
    assert sorted(os.listdir(tmp_path)) == ["labels.duckdb", "one.parquet"]


def test_tables_hold_their_rows_so_a_copy_answers_anywhere(database, tmp_path):
    (tmp_path / "one.parquet").unlink()
    copy = database.rename(tmp_path / "copy.duckdb")
    assert answer(copy, "select problem_id from problems order by 1") == [("a",), ("b",)]


def test_a_plain_connection_from_another_folder_sees_views_and_macros(
    database, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path.parent)
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("select best_of(1, 4, 2)").fetchall() == [(0.5,)]
        assert connection.execute("select * from step_values").fetchall() == []


def test_a_reader_keeps_its_database_while_a_new_one_takes_the_place(database, tmp_path):
    with duckdb.connect(str(database), read_only=True) as reader:
        count = "select count(*) from problems"
        assert reader.execute(count).fetchall() == [(2,)]
        build_database(
            database, Sources({"problems": [problems_file(tmp_path / "n.parquet", "z")]})
        )
        assert reader.execute(count).fetchall() == [(2,)]
        assert answer(database, count) == [(1,)]


def test_readers_never_meet_a_lock_or_half_a_database(database, tmp_path):
    done = threading.Event()
    seen, errors = set(), []

    def read():
        while not done.is_set():
            try:
                seen.update(answer(database, "select count(*) from problems"))
            except InputError as error:
                errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    sources = Sources({"problems": [problems_file(tmp_path / "n.parquet", "z")]})
    for _ in range(3):
        build_database(database, sources)
    done.set()
    reader.join()
    assert errors == []
    assert seen <= {(2,), (1,)}


def test_a_damaged_source_leaves_the_old_database_as_it_was(database, tmp_path):
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 this is none")
    with pytest.raises(WorkError, match="could not be built"):
        build_database(database, Sources({"problems": [damaged]}))
    assert answer(database, "select count(*) from problems") == [(2,)]
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []


@pytest.mark.parametrize("num_bytes", [100, 3_000, 20_000])
def test_a_full_disk_leaves_the_old_database_as_it_was(database, num_bytes, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, limits[1]))
    try:
        with pytest.raises(PavError, match=r"File too large.*The one before it is kept"):
            build_database(database, Sources())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert answer(database, "select count(*) from problems") == [(2,)]
    assert sorted(os.listdir(tmp_path)) == ["labels.duckdb", "one.parquet"]


def test_equal_blocks_count_once_and_of_two_lengths_the_longer(tmp_path):
    files = [
        blocks_file(tmp_path / "short.parquet", (0, 1, 4, "fixed"), (1, 2, 4, "fixed")),
        blocks_file(tmp_path / "long.parquet", (0, 3, 8, "fixed")),
        blocks_file(tmp_path / "again.parquet", (1, 2, 4, "fixed")),
    ]
    build_database(tmp_path / "x.duckdb", Sources({"label_blocks": files}))
    columns = "num_correct, num_rollouts, num_blocks, stopping_rule"
    assert answer(tmp_path / "x.duckdb", f"select {columns} from labels") == [(5, 12, 2, "fixed")]


WIDE = "sequential block=4 width=0.3 threshold=0 confidence=0.95 most=16"
NARROW = "sequential block=4 width=0.1 threshold=0 confidence=0.95 most=64"


@pytest.mark.parametrize(
    ("blocks", "expected"),
    # (block, right, of, rule) -> (right, of, first right, first of, rule) of the label
    [
        ([(0, 1, 4, "fixed"), (1, 2, 4, "fixed")], (3, 8, 3, 8, "fixed")),
        ([(0, 1, 4, "fixed"), (1, 2, 4, WIDE), (2, 4, 4, WIDE)], (7, 12, 1, 4, WIDE)),
        ([(0, 1, 4, "fixed"), (1, 2, 4, "allocated")], (3, 8, 1, 4, "allocated")),
        ([(0, 1, 4, "fixed"), (1, 2, 4, WIDE), (2, 3, 4, "allocated")], (6, 12, 1, 4, "mixed")),
        ([(0, 1, 4, "fixed"), (1, 2, 4, WIDE), (2, 3, 4, NARROW)], (6, 12, 1, 4, "mixed")),
        ([(1, 2, 4, "allocated")], (2, 4, None, None, "allocated")),
        # Of a pit found by 0 of 4 all blocks count; the fresh ones stand apart as well.
        ([(0, 0, 4, "search"), (1, 1, 4, "fresh"), (2, 0, 4, "fresh")], (1, 12, 1, 8, "mixed")),
        ([(0, 0, 4, "fixed"), (1, 2, 4, "fresh")], (2, 8, 0, 4, "fresh")),
        ([(0, 1, 4, "fixed"), (1, 0, 4, "search"), (2, 3, 4, "fresh")], (4, 12, 1, 4, "mixed")),
        ([(0, 0, 4, "search"), (1, 2, 4, "search")], (2, 8, None, None, "search")),
        ([(0, 0, 4, "search"), (1, 2, 4, "allocated")], (2, 8, None, None, "mixed")),
    ],
)
def test_a_label_sums_all_blocks_and_those_wanted_before_any_outcome_apart(
    tmp_path, blocks, expected
):
    file = blocks_file(tmp_path / "b.parquet", *blocks)
    build_database(tmp_path / "x.duckdb", Sources({"label_blocks": [file]}))
    columns = "num_correct, num_rollouts, first_correct, first_rollouts, stopping_rule"
    for table in ("labels", "labels_by_seed"):
        assert answer(tmp_path / "x.duckdb", f"select {columns} from {table}") == [expected]
    assert check_rules(tmp_path / "x.duckdb") == []


def check_rules(path):
    checks = ("label_counts", "label_sums", "stopping_rules")
    return [fault for fault in check_database(path) if fault.check in checks]


@pytest.mark.parametrize(
    ("rules", "kept"),
    [(("search", "fixed"), "fixed"), (("allocated", WIDE), WIDE), (("search", "fresh"), "fresh"),
     (("fresh", "allocated"), "allocated"), ((WIDE, "fixed", "search"), "fixed")],
)  # fmt: skip
def test_a_block_that_stands_under_several_rules_counts_once_by_the_first(tmp_path, rules, kept):
    files = [
        blocks_file(tmp_path / f"{number}.parquet", (0, 3, 4, rule))
        for number, rule in enumerate(rules)
    ]
    build_database(tmp_path / "x.duckdb", Sources({"label_blocks": files}))
    columns = "num_correct, num_rollouts, num_blocks, stopping_rule"
    assert answer(tmp_path / "x.duckdb", f"select {columns} from labels") == [(3, 4, 1, kept)]


def test_a_block_of_an_unknown_stopping_rule_counts_and_is_a_fault(tmp_path):
    file = blocks_file(tmp_path / "b.parquet", (0, 1, 4, "fixed"), (1, 2, 4, "until a pit"))
    build_database(tmp_path / "x.duckdb", Sources({"label_blocks": [file]}))
    assert answer(tmp_path / "x.duckdb", "select num_rollouts from labels") == [(8,)]
    [fault] = check_rules(tmp_path / "x.duckdb")
    assert (fault.check, fault.subject) == ("stopping_rules", "until a pit")
    assert fault.detail.startswith("unknown stopping rule of 1 blocks")


ROLLOUTS = [
    {"prefix_id": "s", "policy_id": "p", "verdict": "correct", "rollout": number,
     "steps": ["1 + 1 = 2\n", "2 + 2 = 4"]}
    for number in range(3)
]  # fmt: skip


@pytest.fixture
def with_rollouts(tmp_path):
    """A store's folder: a database whose rollouts lie beside it."""
    folder = tmp_path / "store"
    (folder / "data").mkdir(parents=True)
    frame("rollouts", ROLLOUTS).write_parquet(folder / "data" / "it's.parquet")
    build_database(folder / "labels.duckdb",
                   Sources(root=str(folder), rollout_files=["data/it's.parquet"]))  # fmt: skip
    return folder


def test_parameters_and_raw_rollouts_reach_a_query(with_rollouts):
    query = "select count(*), $word from rollouts where rollout >= $least"
    found = answer(with_rollouts / "labels.duckdb", query, parameters={"word": "x", "least": 1},
                   files=StoreFiles(str(with_rollouts)))  # fmt: skip
    assert found == [(2, "x")]


QUERY = "select count(*), min(text), min(policy) from rollouts"


def test_the_bare_shell_sees_raw_rollouts_from_any_folder(with_rollouts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with duckdb.connect(str(with_rollouts / "labels.duckdb"), read_only=True) as connection:
        assert connection.execute(QUERY).fetchall() == [(3, "1 + 1 = 2\n2 + 2 = 4", "p")]


def test_raw_rollouts_follow_a_store_that_moved(with_rollouts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moved = with_rollouts.rename(tmp_path / "else where")
    database = moved / "labels.duckdb"
    expected = [(3, "1 + 1 = 2\n2 + 2 = 4", "p")]
    assert answer(database, QUERY, files=StoreFiles(str(moved))) == expected
    assert answer(database, QUERY, files=StoreFiles(paths=[str(moved / "data" / "it's.parquet")]))\
        == expected  # fmt: skip
    with duckdb.connect(str(database), read_only=True) as connection:
        with pytest.raises(duckdb.IOException, match="No files found"):
            connection.execute(QUERY)
        connection.execute("set variable store = $moved", {"moved": str(moved)}).fetchall()
        assert connection.execute(QUERY).fetchall() == expected


def test_without_rollouts_their_table_is_empty_and_has_its_columns(database, with_rollouts):
    described = "select column_name, column_type from (describe rollouts)"
    columns = answer(database, described)
    assert answer(database, "from rollouts") == []
    files = StoreFiles(str(with_rollouts))
    assert columns == answer(with_rollouts / "labels.duckdb", described, files=files)


OUTSIDE = ["read_text('{secret}')", "read_csv('{secret}')", "glob('{folder}/*')", "'{secret}'",
           "read_text('{store}/../secret.csv')", "read_csv('http://127.0.0.1:9/x.csv')",
           "sqlite_scan('{secret}', 't')"]  # fmt: skip


@pytest.mark.parametrize("source", OUTSIDE)
def test_a_query_reads_no_file_but_the_stores(with_rollouts, tmp_path, source):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nhidden\n")
    named = source.format(secret=secret, folder=tmp_path, store=with_rollouts)
    database = with_rollouts / "labels.duckdb"
    with pytest.raises(InputError, match=r"SQL: (Permission|Catalog) Error"):
        run_query(database, f"select * from {named}", files=StoreFiles(str(with_rollouts)))
    with pytest.raises(InputError, match=r"SQL: (Permission|Catalog) Error"):
        run_query(database, f"select * from {named}")


def test_a_query_cannot_open_what_is_closed(database):
    for setting in ("enable_external_access", "autoinstall_known_extensions"):
        assert answer(database, f"select current_setting('{setting}')") == [(False,)]


def test_a_database_can_be_opened_by_duckdb_1_4(database):
    # Bytes 12 to 19 of the header are the storage's version: 1.4 opens 64 to 67.
    assert 64 <= int.from_bytes(database.read_bytes()[12:20], "little") <= 67


def test_every_column_has_a_comment(database):
    query = (
        "select table_name, column_name from duckdb_columns() "
        "where database_name = 'labels_db' and comment is null"
    )
    assert answer(database, query) == []


def test_a_comment_is_of_the_table_where_one_name_means_two_things(database):
    query = (
        "select table_name, comment from duckdb_columns() where column_name = 'kind' "
        "and table_name in ('preference_pairs', 'verifiers') order by 1"
    )
    [(_, pairs), (_, verifiers)] = answer(database, query)
    assert pairs.startswith("step: two next steps")
    assert verifiers.startswith("what it predicts")


def test_no_progress_bar_is_drawn_over_an_answer(database):
    assert answer(database, "select current_setting('enable_progress_bar')") == [(False,)]


@pytest.mark.parametrize(
    "query",
    [
        "insert into problems by name select 'c' as problem_id",
        "drop view advantages",
        "copy problems to 'stolen.csv'",
        "explain analyze copy problems to 'stolen.csv'",
        "attach 'other.duckdb'",
        "set search_path = 'memory'",
        "select 1; drop table problems",
        "",
    ],
)
def test_only_one_select_is_run_and_nothing_is_written(database, query, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(InputError, match="one select statement"):
        run_query(database, query)
    assert sorted(os.listdir(tmp_path)) == before
    assert answer(database, "select count(*) from problems") == [(2,)]


READING = ["describe problems", "show tables", "from problems", "values (1)",
           "with a as (select 1) select * from a"]  # fmt: skip


@pytest.mark.parametrize("query", READING)
def test_every_way_to_read_is_allowed(database, query):
    assert run_query(database, query).height >= 1


def test_a_mistake_in_sql_is_told_with_every_hint_of_duckdb(database):
    with pytest.raises(InputError, match=r'Binder Error: .*"answr" not found.*\n.*"answer"'):
        run_query(database, "select answr from problems")
    with pytest.raises(InputError, match=r"Catalog Error: .*\nDid you mean \"problems\""):
        run_query(database, "from problem")
    with pytest.raises(InputError, match=r"^SQL: Parser Error: .*\n\nLINE 1: selec 1\n *\^+$"):
        run_query(database, "selec 1")


def test_a_pivot_is_a_question_too_and_a_copy_of_one_is_not(database, tmp_path):
    pivot = "pivot (select problem_id from problems) on problem_id using count(*)"
    assert run_query(database, f"-- by problem\n{pivot}").columns == ["a", "b"]
    assert run_query(database, f"from ({pivot})").columns == ["a", "b"]
    with pytest.raises(InputError, match="one select statement"):
        run_query(database, f"copy ({pivot}) to '{tmp_path}/x.csv'",
                  files=StoreFiles(str(tmp_path)))  # fmt: skip
    assert not (tmp_path / "x.csv").exists()


WRITER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_database_that_a_shell_holds_open_names_its_process_and_is_not_to_be_removed(database):
    command = [sys.executable, "-c", WRITER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdin
        assert shell.stdout
        shell.stdout.readline()
        for ask in (lambda: run_query(database, "select 1"), lambda: check_database(database)):
            with pytest.raises(InputError) as error:
                ask()
            assert str(error.value) == (
                f"{database}: open for writing in process {shell.pid}; close it there, or open it "
                "there with -readonly"
            )
        shell.stdin.close()
    assert answer(database, "select count(*) from problems") == [(2,)]


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_damaged_database_says_what_builds_it_again(database, is_cut):
    whole = database.read_bytes()
    # The first 12 KiB are headers; the rest are blocks, each with a checksum.
    rest = b"" if is_cut else b"?" * (len(whole) - 12_288)
    database.write_bytes(whole[:12_288] + rest)
    for ask in (lambda: run_query(database, "from labels"), lambda: check_database(database)):
        with pytest.raises(PavError, match="the `pav run` that made it builds it again") as error:
            ask()
        assert "remove" not in str(error.value)


def test_no_database_names_the_command_that_makes_one(tmp_path):
    with pytest.raises(InputError, match="no database yet; `pav run` makes it"):
        run_query(tmp_path / "labels.duckdb", "select 1")


@pytest.mark.parametrize(
    ("version", "message"),
    [(DATABASE_VERSION - 1, "older pav.*`pav run`"), (DATABASE_VERSION + 1, "newer pav")],
)
def test_a_database_of_another_version_is_refused_with_what_to_do(database, version, message):
    with duckdb.connect(str(database)) as connection:
        connection.execute("update schema_version set version = $v", {"v": version}).fetchall()
    with pytest.raises(InputError, match=f"schema version {version} is from an? {message}"):
        run_query(database, "select 1")


def test_what_is_no_database_is_said_to_be_none(tmp_path):
    path = tmp_path / "labels.duckdb"
    path.write_text("not a database")
    with pytest.raises(InputError, match="expected a database made by pav"):
        run_query(path, "select 1")
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("create table labels (a integer)").fetchall()
    with pytest.raises(InputError, match="expected a database made by pav"):
        run_query(tmp_path / "other.duckdb", "select 1")


def test_what_a_killed_build_left_goes_with_the_next_one_and_a_young_folder_stays(tmp_path):
    left, in_use = tmp_path / ".labels-left.tmp", tmp_path / ".labels-in-use.tmp"
    for folder in (left, in_use):
        folder.mkdir()
        (folder / "labels.duckdb").write_bytes(b"half")
    os.utime(left, (0, 0))
    build_database(tmp_path / "labels.duckdb", Sources())
    assert sorted(each.name for each in tmp_path.iterdir()) == [in_use.name, "labels.duckdb"]
