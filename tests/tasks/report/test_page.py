"""The report: a page that opens offline, with every number it was given and none made up."""

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from pav.models.domains.countdown.domain import fault
from pav.models.settings import RunSettings
from pav.tasks.report.arm_tables import GROUP_COLUMNS, arm_groups
from pav.tasks.report.artifacts import artifact_key, claims_markdown, table_records
from pav.tasks.report.claims import claim_table
from pav.tasks.report.context import claims_part, head_part, report_context
from pav.tasks.report.example_rows import example_rows
from pav.tasks.report.examples import ExampleTables, worked_examples
from pav.tasks.report.limits import limits
from pav.tasks.report.page import render, signed, write_report
from pav.tasks.report.plotting import DARK, ON_DARK, ON_LIGHT
from pav.tasks.report.scope import Scope, scope_of
from pav.tasks.report.tables import dataset_table, timing_table
from pav.tasks.report.truth import truth_check
from pav.tasks.report.words import (
    cost_words,
    label_words,
    pick_note,
    protocol,
    task_words,
    terms,
)
from pav.tasks.store.prefix_tables import with_steps
from pav.tasks.store.stage_report import StageReport
from pav.tasks.store.store import Store
from tests.policies import named_policies
from tests.tasks.report.invented_report import comparison, invented_inputs

JUDGED = Scope((), is_judged=True)
PAV, Q, ORM = ("beam", "pav", "bo4"), ("beam", "q", ""), ("best_of_n", "orm", "")


def with_results(inputs, **changes):
    return replace(inputs, results={**inputs.results, **changes})


def text_of(page):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture(scope="module")
def inputs():
    return invented_inputs()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def written(inputs, store):
    return write_report(store, "run-1", inputs)


@pytest.fixture(scope="module")
def page(store, written):
    return store.read_bytes(written.report).decode()


@pytest.fixture(scope="module")
def bare(inputs):
    """What the page of a run shows that only took single samples."""
    arms = [arm for arm in inputs.results["arms"] if arm["strategy"] == "single"]
    nothing = (
        "comparisons", "other_comparisons", "differences_to_q_beam", "compute", "verifiers",
        "validation", "worst_bins", "score_drift",
    )  # fmt: skip
    results = {**inputs.results, "arms": arms, "truth": None, **{name: [] for name in nothing}}
    empty = replace(
        inputs,
        results=results,
        scores=inputs.scores.clear(),
        label_blocks=inputs.label_blocks.clear(),
        training_runs=inputs.training_runs.clear(),
        stages=(),
    )
    return report_context("bare", empty)


class Links(HTMLParser):
    """Every address that a page asks a browser to load, and every id and anchor."""

    def __init__(self):
        super().__init__()
        self.loaded, self.ids, self.anchors, self.images = [], [], [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        if tag == "a":
            self.anchors.append(found["href"])
        elif tag == "img":
            self.images.append(found)
        else:
            self.loaded += [found[name] for name in ("src", "href") if name in found]


@pytest.fixture(scope="module")
def links(page):
    parser = Links()
    parser.feed(page)
    return parser


def test_the_page_loads_nothing_from_imported_itself(page, links):
    assert links.loaded == []
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in links.images)
    assert not re.search(r"url\(|@import|<script", page)


def test_every_figure_has_words_for_those_who_cannot_see_it(links):
    assert len(links.images) >= 15
    assert all(len(image["alt"]) > 40 for image in links.images)


def test_every_link_leads_to_a_place_of_the_page_or_a_file_beside_it(links, store):
    places = {link.removeprefix("#") for link in links.anchors if link.startswith("#")}
    files = [link for link in links.anchors if not link.startswith("#")]
    assert places <= set(links.ids)
    assert len(set(links.ids)) == len(links.ids)
    assert "results.json" in files
    assert all(store.exists(f"runs/run-1/{file}") for file in files)


def test_the_head_says_what_the_task_is_and_where_the_page_comes_from(page):
    head = text_of(page.partition('<h2 id="claims">')[0].partition("<header>")[2])
    assert "Each problem gives 4 numbers" in head
    assert "the number 24 by +" in head
    assert "2026-11-24 \u00b7 config full \u00b7 262 test problems, 3 pipeline seeds" in head
    assert "pav 0.1.0, commit 0123456789ab" in head


@pytest.mark.parametrize("word", ["PAV", "ORM", "Q", "Bo4", "pass", "best-of-N", "beam"])
def test_a_short_name_is_explained_before_the_first_comparison(page, word):
    head = page.partition('<h2 id="claims">')[0]
    assert f"<dt>{word}</dt><dd>" in head


@pytest.mark.parametrize(
    ("segmenter", "step"), [("sentence", "a sentence"), ("words", "32 words"), ("line", "a line")]
)
def test_mathematics_has_a_task_of_its_own(inputs, segmenter, step):
    math = inputs.settings.problems.model_copy(update={"domain": "math", "segmenter": segmenter})
    settings = inputs.settings.model_copy(update={"problems": math})
    words = task_words(replace(inputs, settings=settings))
    assert words.startswith("Each problem is a mathematical question.")
    assert words.endswith(f"a step is {step}.")


def test_names_of_arms_that_were_not_run_are_not_explained(inputs):
    few = with_results(inputs, arms=inputs.select("best_of_n", "orm"))
    assert {"\u00d7 likelihood", "majority"} <= dict(terms(inputs)).keys()
    assert not {"\u00d7 likelihood", "majority"} & dict(terms(few)).keys()


def test_comparisons_stand_with_their_intervals_and_counts_as_they_came(page):
    rows = [text_of(row) for row in re.findall(r'<tr class="claim">.*?</tr>', page)]
    assert rows[0] == (
        "beam Q + \u03b1\u00b7A, Bo4 at 64 against beam Q at 64 \u22124.2 41 / 19 "
        ".012 \u22127.1 to \u22121.1 \u22128.0 to \u22121.0 \u25bc loss, against the paper"
    )
    assert (
        "+8.3 41 / 19 .012 +4.1 to +12.4 +2.0 to +14.0 \u25b2 gain, agrees with the paper"
        in rows[2]
    )
    assert rows[3].endswith("\u22121.2 to +7.1 \u22123.0 to +9.0 no difference shown")


def test_like_for_like_comparisons_come_first(page):
    assert page.index("<b>Like for like</b>") < page.index("<b>Final picks differ</b>")


def table_of(*rows, scope=JUDGED):
    return claim_table([("", "", rows)], scope, confidence=0.95)


def test_an_interval_that_holds_zero_is_never_called_a_difference():
    [claim] = table_of(comparison((PAV, 4), (Q, 4), 0.05, (-0.001, 0.1), None)).claims
    assert (claim.kind, claim.verdict) == ("open", "no difference shown")


def test_a_difference_that_does_not_survive_the_correction_is_not_called_one():
    row = comparison((PAV, 4), (Q, 4), -0.05, (-0.1, -0.001), None)
    [claim] = table_of({**row, "p_holm": 0.051}).claims
    assert (claim.kind, claim.verdict) == ("open", "loss, but not after correction")
    assert claim.p_value == ".051"
    [kept] = table_of({**row, "p_holm": 0.0499}).claims
    assert (kept.kind, kept.verdict) == ("loss", "loss, against the paper")
    assert table_of({**row, "p_holm": 1e-9}).claims[0].p_value == "< .001"


def test_a_verdict_names_the_paper_only_where_the_paper_says_anything():
    rows = [
        comparison((one, 4), (other, 4), 0.05, (0.01, 0.1), None)
        for one, other in ((PAV, Q), (Q, ORM))
    ]
    verdicts = [claim.verdict for claim in table_of(*rows).claims]
    assert verdicts == ["gain, agrees with the paper", "gain"]


def test_places_on_the_axis_are_in_proportion_to_the_differences():
    table = table_of(
        comparison((PAV, 4), (Q, 4), 0.1, (0.0, 0.2), None),
        comparison((PAV, 16), (Q, 16), -0.05, (-0.2, 0.1), (-0.1, 0.3)),
    )
    first, second = table.claims
    # From -20 to +30 points with 3 % of margin on either side: 1.06 * 50 points are 100 %.
    assert first.place - table.zero == pytest.approx(100 * 10 / 53, abs=0.02)
    assert second.over_problems.start == pytest.approx(100 * 1.5 / 53, abs=0.02)
    assert second.over_seeds.end == pytest.approx(100 * 51.5 / 53, abs=0.02)
    ticks = {tick.words: tick.place for tick in table.ticks}
    assert ticks["+20.0"] - table.zero == pytest.approx(2 * (first.place - table.zero), abs=0.02)
    assert ticks["0.0"] == table.zero
    # The labels of more ticks would run into each other.
    assert len(ticks) <= 4


def test_no_words_stand_where_a_line_of_the_plot_could_strike_them_through(page):
    plots = re.findall(r'<td class="plot">.*?</td>', page)
    assert plots
    assert all(not text_of(plot) for plot in plots)


def test_too_few_problems_are_said_and_nothing_is_judged(inputs, bare):
    small = with_results(inputs, num_test_problems=99)
    scope = scope_of(small)
    assert [caution.title for caution in scope.cautions] == ["Too small to conclude"]
    page = text_of(render({**bare, **claims_part(small, scope)}))
    assert "not judged" in page
    assert "the paper" not in page.partition("Wins / losses")[0]
    assert "Compute to reach" not in page
    assert scope_of(with_results(inputs, num_test_problems=100)).is_judged


def test_arms_that_all_but_always_fail_are_said_and_not_judged(inputs):
    arms = [{**arm, "accuracy": 0.099} for arm in inputs.results["arms"]]
    scope = scope_of(with_results(inputs, arms=arms))
    assert [caution.title for caution in scope.cautions] == ["Accuracy too low to conclude"]
    assert not scope.is_judged


def test_one_pipeline_seed_is_said_but_differences_of_its_verifiers_are_judged(inputs):
    scope = scope_of(with_results(inputs, num_pipeline_seeds=1))
    assert [caution.title for caution in scope.cautions] == ["One pipeline seed"]
    assert scope.is_judged
    assert scope_of(inputs) == JUDGED


def test_pipeline_seeds_are_counted_in_the_data_not_in_the_settings(inputs, bare):
    settings = RunSettings(pipeline_seeds=(0, 1))
    twice = replace(with_results(inputs, num_pipeline_seeds=1), settings=settings)
    parts = (head_part("twice", twice, JUDGED), claims_part(twice, JUDGED))
    page = text_of(render({**bare, **parts[0], **parts[1], "limits": limits(twice)}))
    assert "1 pipeline seed" in page
    assert "2 pipeline seeds" not in page
    assert "3 pipeline seeds" in protocol(inputs, JUDGED)


def test_the_gain_of_a_pick_by_likelihood_is_said_to_be_the_picks_own(inputs):
    words = pick_note(inputs)
    assert "includes the gain of this final pick" in words
    assert "devised after looking at wrong answers on test problems" in words
    plain = [{**arm, "final_pick": "orm"} for arm in inputs.results["arms"]]
    assert pick_note(with_results(inputs, arms=plain)) == ""


def test_the_loss_is_split_into_the_pick_and_the_search(inputs):
    # 1 - .96 = 4.0 points missed: .995 - .96 = 3.5 by the pick, 1 - .995 = 0.5 by the search.
    words = " ".join(limits(inputs))
    assert "fails on 4.0% of the problems. On 3.5% some finished candidate is right" in words
    assert "on 0.5% no finished candidate is right" in words
    assert "larger loss is the final pick's" in words


def test_searches_that_a_bound_on_steps_ended_are_counted(inputs):
    words = "searches reached evaluate.max_steps"
    assert words not in " ".join(limits(inputs))
    beams = [arm for arm in inputs.arms if arm["strategy"] == "beam"][:2]
    cut = [{**arm, "searches_cut_off": 5} for arm in beams]
    samples = [arm for arm in inputs.arms if arm["strategy"] == "best_of_n"]
    # 262 problems and 3 seeds for each of two arms.
    said = " ".join(limits(with_results(inputs, arms=[*cut, *samples])))
    assert f"10 of 1,572 {words}" in said


def test_limits_say_that_seeds_share_a_base_which_knows_the_training_problems(inputs):
    words = " ".join(limits(inputs))
    assert "The 3 pipeline seeds share one base policy" in words
    splits = dict(inputs.problems.select("problem_id", "split").iter_rows())
    seen = [
        row["verdict"] == "correct"
        for row in inputs.solutions.to_dicts()
        if splits[row["problem_id"]] == "train"
    ]
    assert f"right on {100 * sum(seen) / len(seen):.1f}% of the training problems" in words
    folder = inputs.settings.prepare.model_copy(
        update={"policies": named_policies(base="some/folder")}
    )
    foreign = inputs.settings.model_copy(update={"prepare": folder})
    assert "imported checkpoint" in limits(replace(inputs, settings=foreign))[-1]


def test_every_arm_stands_once_in_a_table_that_is_narrow_enough_for_any_page(inputs):
    groups = arm_groups(inputs.arms)
    rows = [(group.label, row[0], row[1]) for group in groups for row in group.rows]
    assert len(set(rows)) == len(rows) == len(inputs.arms)
    assert len(GROUP_COLUMNS) <= 7
    beam = next(group for group in groups if group.label.endswith("Bo4") and "beam" in group.label)
    assert beam.note == (
        "\u03b1 = 0.5; final pick: last Q \u00d7 likelihood; 3 pipeline \u00d7 3 search seeds"
    )


def test_an_arm_that_picks_by_its_own_score_has_no_pick_of_another(inputs):
    notes = {group.label: group.note for group in arm_groups(inputs.arms)}
    assert notes["best-of-N majority"] == "3 pipeline \u00d7 1 search seed"
    assert "final pick" in notes["beam Q"]


def test_every_colour_of_a_figure_is_swapped_or_kept_on_purpose_in_the_dark(inputs, written, store):
    # Bright enough on either page: yellow, sky and the pale shades of value classes.
    both = {"#e69f00", "#56b4e9", "#4c93c9", "#9cc9e3", "#f2d9a0", ON_DARK.lower(), ON_LIGHT}
    swapped = {light.lower() for light in DARK}
    for path in written.figures:
        svg = store.read_bytes(path).decode()
        drawn = svg.partition("</style>")[2]
        assert set(re.findall(r"#[0-9a-f]{6}\b", drawn)) <= swapped | both, path
        assert "prefers-color-scheme: dark" in svg


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([StageReport("label", 8, 0, 8, 60.0)], "2.0 minutes from an empty store; 5.0 minutes of"),
        ([StageReport("label", 8, 6, 2, 9.0)], "this run made 2 of them in 2.0 minutes and reused"),
        ([StageReport("label", 8, 8, 0, 0.0)], "for all 8 units, made by earlier runs"),
    ],
)
def test_the_wall_time_is_never_told_as_the_cost_of_what_was_reused(stages, words):
    assert words in cost_words(stages, 120.0, 300.0)


def test_a_right_rollout_of_a_hopeless_prefix_is_shown_as_an_error(inputs):
    known = with_steps(inputs.prefixes, inputs.solutions)
    said = pl.col("steps").list.last().str.contains("= 24 left 24")
    hopeless = known.filter(said)["prefix_id"][0]
    finished = pl.col("prefix_id") == hopeless
    prefixes = known.with_columns(
        is_terminal=pl.when(finished).then(False).otherwise(pl.col("is_terminal"))
    )
    extra = inputs.label_blocks.head(1).with_columns(
        prefix_id=pl.lit(hopeless), num_correct=pl.lit(1, pl.Int32)
    )
    blocks = pl.concat([inputs.label_blocks, extra])
    assert (
        truth_check(inputs.problems, known, inputs.label_blocks, solver=fault).num_contradictions
        == 0
    )
    assert truth_check(inputs.problems, prefixes, blocks, solver=fault).num_contradictions == 1


def test_results_hold_what_the_page_shows(inputs, store, written):
    results = json.loads(store.read_bytes("runs/run-1/results.json"))
    assert results["arms"] == inputs.results["arms"]
    assert results["labels"]["num_rollouts"] == inputs.labels()["num_rollouts"].sum()
    assert {row["verifier"] for row in results["verifiers_by_step"]} >= {"q", "orm_all"}
    assert written.report == "runs/run-1/report.html"
    assert all(store.exists(path) for path in (written.report, *written.figures))
    assert {"arms", "verifiers", "datasets", "timings"} <= {each.name for each in written.tables}


def test_a_run_without_beams_labels_or_scores_still_has_a_page(bare):
    words = render(bare)
    assert "There are no labels." in words
    assert "28.0%" in words


def test_text_of_a_model_cannot_break_out_of_the_page(inputs, bare):
    spoiled = inputs.solutions.with_columns(reason=pl.lit("<script>alert(1)</script>"))
    tables = ExampleTables(inputs.problems, spoiled, inputs.scores, fault)
    examples = [example_rows(each) for each in worked_examples(tables, count=1, main_k=4)]
    facts = [("Config", "<script>alert(2)</script>")]
    page = render({**bare, "examples": examples, "facts": facts, "byline": [facts[0][1]]})
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.004, "0.00"), (-0.004, "0.00"), (0.126, "+0.13"), (-1.0, "\u22121.00")],
)
def test_a_change_has_a_sign_unless_it_is_none(number, text):
    assert signed(number) == text


def test_data_sets_are_named_as_reused_made_or_both(inputs):
    rows = {row[0]: row[-1] for row in dataset_table(inputs.stages).rows}
    assert rows["solutions"] == "reused"
    assert rows["label_blocks"] == "partly reused"
    assert rows["scores"] == "made"


def test_artifact_keys_and_rows_are_what_prefect_takes(inputs):
    table = dataset_table(inputs.stages)
    assert artifact_key("Never solved_1") == "never-solved-1"
    assert table_records(table)[0]["data set"] == "problems"
    row = comparison((PAV, 4), (Q, 4), -0.05, (-0.1, -0.01), None)
    assert claims_markdown(table_of(row).claims).splitlines()[-1] == (
        "| beam Q + \u03b1\u00b7A, Bo4 at 4 against beam Q at 4 | \u22125.0 | 41 / 19 "
        "| .012 | \u221210.0 to \u22121.0 | \u2013 | **loss, against the paper** |"
    )
    assert claims_markdown(()) == "No arms were compared."


def test_the_label_stage_says_its_price_and_its_estimate_in_the_report(inputs):
    note = "price 1.25, 0.052 per 1,000 labels"
    stages = (StageReport("label", 4, 0, 4, 9.0, ("label_blocks",), (note,)),)
    said = label_words(replace(inputs, stages=stages))
    assert said[-1] == "Price 1.25, 0.052 per 1,000 labels."
    assert len(said) == len(label_words(replace(inputs, stages=()))) + 1


def test_the_time_table_has_a_price_where_a_device_hour_has_one():
    stages = [StageReport("sample", 2, 0, 2, 1800.0), StageReport("label", 4, 4, 0, 0.0)]
    priced = timing_table(stages, unit_seconds={"label": 5400.0}, device_hour_price=2.5)
    # 1,800 s and 5,400 s are two hours.
    assert priced.caption.endswith("All its units cost 5.00 at 2.5 a device-hour.")
    assert "cost" not in timing_table(stages, unit_seconds={"label": 5400.0}).caption
