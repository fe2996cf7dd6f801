"""Whatever stands in a YAML file or after `--set` ends in settings or in one message."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pav.flows.settings_file import load_settings
from pav.models.errors import InputError
from pav.models.settings import RunSettings

BLOCKS = sorted(RunSettings.model_fields)
NAMES = sorted(
    f"{block}.{name}"
    for block in BLOCKS
    if block != "pipeline_seeds"
    for name in type(getattr(RunSettings(), block)).model_fields
)
ODD = [
    "", "~", "null", "true", ".nan", "-.inf", "1e400", "1_000", "0x" + "f" * 5000, "9" * 5000,
    "2001-99-99", "2001-01-01", "12:30:45", "!!int x", "!!bool x", "!!timestamp x", "!!float ''",
    "!!binary é", "!!set {a}", "!!omap [1]", "!!python/object:os.system {}", "&a [*a]", "*a",
    "{<<: 3}", "{<<: [1]}", "{<<: *a}", "&a {<<: *a}", "{? [1] : 2}", "{? {a: 1} : 2}", "{[]: 1}",
    '"\\ud800"', '"\\0"', "[[[[1]]]]", "[1, x, ~]", "{a: {b: c}}", "'", "- 1", "|", "%", "@", "\t",
]  # fmt: skip
VALUES = st.sampled_from(ODD) | st.text(max_size=12) | st.integers().map(str) | st.floats().map(str)
OFTEN = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def loads_or_refuses(config, overrides=()):
    try:
        assert isinstance(load_settings(config, overrides), RunSettings)
    except InputError as error:
        if not 0 < len(str(error)) < 25_000:
            raise AssertionError("no message, or one that nobody reads") from error


@OFTEN
@given(st.sampled_from([*NAMES, *BLOCKS, "", ".", "train..steps", "a.b"]) | st.text(max_size=9),
       VALUES)  # fmt: skip
@example("train.steps", "0x" + "f" * 5000)
def test_any_option_is_taken_or_refused(key, value):
    loads_or_refuses("smoke", [f"{key}={value}"])


@OFTEN
@given(st.lists(st.tuples(st.sampled_from([*BLOCKS, "<<", "x", "&a", "? a"]), VALUES), max_size=4))
def test_any_blocks_of_a_file_are_taken_or_refused(tmp_path, entries):
    path = tmp_path / "mine.yaml"
    text = "\n".join(f"{key}: {value}" for key, value in entries)
    path.write_bytes(text.encode(errors="replace"))
    loads_or_refuses(str(path))


@OFTEN
@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4))
def test_any_values_of_a_file_are_taken_or_refused(tmp_path, entries):
    path = tmp_path / "mine.yaml"
    lines = [f"{key.split('.')[0]}: {{{key.split('.')[1]}: {value}}}" for key, value in entries]
    path.write_bytes("\n".join(lines).encode(errors="replace"))
    loads_or_refuses(str(path))


MARKS = st.text(alphabet="a:-[]{},&*!<>?|'\"#%\n \t1~.", max_size=60)


@OFTEN
@given(st.binary(max_size=60) | MARKS.map(str.encode))
def test_any_bytes_of_a_file_are_taken_or_refused(tmp_path, data):
    path = tmp_path / "mine.yaml"
    path.write_bytes(data)
    loads_or_refuses(str(path))
