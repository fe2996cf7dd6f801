import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from pav.models.domains import domain
from pav.models.domains.math.domain import Math
from pav.models.errors import InputError
from pav.models.planners.blocks import label_problem
from pav.models.planners.exhaustive import exhaustive
from pav.models.planners.rollouts import sample_solutions
from pav.models.policy.embedded import build_config, build_tokenizer
from pav.models.records import Extend, Generated, Grade, LogProb, Prefix, Problem, Score, Verdict
from pav.models.settings import GradeSettings, PrepareSettings
from pav.tasks.engine.driver import Driver
from pav.tasks.engine.roles import PolicyRole, VerifierRole
from pav.tasks.engine.tokens import Codec
from pav.tasks.engine.transformers_engine import EngineSampling, TransformersEngine
from pav.tasks.grade.grader import Grader
from pav.tasks.grade.pool import GradingPool

COUNTDOWN = domain("countdown")
HANDS = ("4 9 10 13", "1 2 3 4", "6 6 6 6", "3 3 8 8")
PROBLEMS = {hand: COUNTDOWN.problem(hand, "24", problem_id=hand, split="train") for hand in HANDS}


class LengthScorer:
    """Scores a step end by its position, and counts the sequences it is asked for."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[int, ...]] = Counter()

    def score(self, sequences, ends):
        self.asked.update(tuple(ids) for ids in sequences)
        return [np.array([[end / 100, end / 200] for end in each]) for each in ends]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    tokenizer = build_tokenizer()
    sizes = PrepareSettings(num_layers=1, hidden_size=32, intermediate_size=48, num_heads=2)
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("policy")
    LlamaForCausalLM(build_config(sizes, tokenizer)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def driver(folder):
    engine = TransformersEngine(
        folder, EngineSampling(batch_size=16), device="cpu", dtype="float32"
    )
    scorer = LengthScorer()
    return Driver(
        COUNTDOWN,
        PROBLEMS,
        Codec(build_tokenizer(), COUNTDOWN, PROBLEMS),
        {"base": PolicyRole("policy-1", engine)},
        {"q": VerifierRole(scorer), "other": VerifierRole(scorer, head=1)},
    )


def ask(request):
    """An algorithm of one request, which returns the reply."""
    return (yield request)


def solutions(hand, seed=0):
    return sample_solutions(Prefix(hand), policy="base", num_samples=3, seed=seed, max_tokens=10)


def test_an_algorithm_gets_the_same_samples_alone_and_among_others(driver):
    together = driver.run([solutions(hand) for hand in HANDS])
    alone = [driver.run([solutions(hand)])[0] for hand in HANDS]
    assert together == alone
    assert len({sample.steps for graded in together for sample, _ in graded}) > 4


def test_another_seed_or_block_draws_other_samples(driver):
    first, second = driver.run([solutions("1 2 3 4", seed=0), solutions("1 2 3 4", seed=1)])
    assert [sample for sample, _ in first] != [sample for sample, _ in second]
    roots = [Prefix("1 2 3 4")]
    asked: dict[str, Any] = {"policy": "base", "block_size": 3, "seed": 0, "max_tokens": 10}
    [labels] = driver.run([label_problem([exhaustive(roots, (0, 1))], **asked)])
    first, second = (rolled for _, rolled in labels.blocks())
    assert first != second


def test_a_prefix_named_twice_in_one_request_gets_samples_of_its_own(driver):
    root = Prefix("1 2 3 4")
    [(first, second)] = driver.run([ask(Extend("base", (root, root), 4, "end", 10, "search"))])
    assert first != second


def test_steps_joined_are_the_text_and_step_ends_are_their_last_tokens():
    codec = Codec(build_tokenizer(), COUNTDOWN, PROBLEMS)
    steps = ("13 - 9 = 4 left 4 4 10\n", "10 - 4 = 6 left 4 6\n", "4 * 6 = 24 left 24")
    finished = Prefix("4 9 10 13", steps, is_finished=True)
    ids, ends = codec.encode_with_ends(finished)
    assert ids == codec.encode(finished)
    assert len(ends) == len(steps) + 1
    assert ends[-1] == len(ids) - 1
    assert ids[-1] == build_tokenizer().eos_token_id
    for count, end in enumerate(ends[:-1]):
        assert ids[: end + 1] == codec.encode(Prefix("4 9 10 13", steps[:count]))
    prompt = len(codec.encode(Prefix("4 9 10 13")))
    sample = codec.sample(Generated(0, 0, ids[prompt:-1], "stop"))
    assert sample.steps == steps
    assert sample.num_tokens == len(ids) - 1 - prompt


def test_each_distinct_score_is_answered_once_for_all_heads(driver):
    root, step = Prefix("1 2 3 4"), Prefix("1 2 3 4", ("1 + 2 = 3 left 3 3 4\n",))
    asked = [ask(Score("q", (root, step))), ask(Score("other", (step,))), ask(Score("q", (root,)))]
    q, other, again = driver.run(asked)
    assert set(driver.verifiers["q"].scorer.asked.values()) == {1}
    assert len(q[0]) == 1
    assert len(q[1]) == 2
    assert again == (q[0],)
    assert other[0] == tuple(score / 2 for score in q[1])


def test_costs_count_each_algorithms_own_tokens(driver):
    graded = driver.run([solutions(hand) for hand in HANDS])
    expected = [sum(sample.num_tokens for sample, _ in each) for each in graded]
    assert [cost["generated_tokens"] for cost in driver.costs] == expected


class CharacterTokenizer:
    """One token a character of ASCII; 0 ends a text."""

    eos_token_id = 0

    def __len__(self):
        return 128

    def batch_decode(self, rows):
        return ["".join(map(chr, row)) for row in rows]

    def encode(self, text, add_special_tokens):
        return list(map(ord, text))

    def decode(self, ids, **options):
        return "".join(map(chr, ids))


def continued(text, before, **options):
    """The steps that a sampled text is cut into, after others, by a math domain."""
    codec = Codec(CharacterTokenizer(), Math(**options), {})
    sample = codec.sample(Generated(0, 0, tuple(map(ord, text)), "stop"), before)
    assert sample.num_tokens == len(text)
    return sample.steps


def test_steps_without_a_delimiter_are_cut_in_the_whole_text():
    words = {"segmenter": "words", "step_words": 2}
    assert continued("13 - 9 = 4", (), **words) == ("13 - ", "9 = ", "4")
    assert continued("9 = 4", ("13 - ",), **words) == ("9 = ", "4")
    # A first step that would now be cut otherwise stays, and the new text is cut alone.
    assert continued("13 - 9", ("6 ",), **words) == ("13 - ", "9")
    opened = ("f('''a\n",)
    assert continued("b\nc''') d", opened, segmenter="call") == ("b\n", "c''') d")
    assert continued("b\nc''') d", (), segmenter="call") == ("b\nc''') d",)


def test_what_cannot_be_sampled_step_by_step_is_refused(folder):
    family = Math(segmenter="sentence")
    engine = TransformersEngine(folder, EngineSampling(), device="cpu", dtype="float32")
    role = {"base": PolicyRole("p", engine)}
    driver = Driver(family, PROBLEMS, Codec(build_tokenizer(), family, PROBLEMS), role)
    with pytest.raises(InputError, match="line or paragraph of math"):
        driver.run([ask(Extend("base", (Prefix("1 2 3 4"),), 1, "step", 4, "search"))])


class CountingGrader(Grader):
    """Keeps how many responses it was given at once."""

    def __init__(self, domain):
        super().__init__(domain, GradingPool(GradeSettings()))
        self.sizes = []

    def grade(self, responses):
        self.sizes.append(len(responses))
        return super().grade(responses)


class SlowGrader(Grader):
    """Takes its time."""

    SECONDS = 0.02

    def __init__(self, domain):
        super().__init__(domain, GradingPool(GradeSettings()))

    def grade(self, responses):
        time.sleep(self.SECONDS)
        return super().grade(responses)


def test_responses_of_all_waiting_algorithms_are_graded_together(driver):
    driver = replace(driver, grader=CountingGrader(COUNTDOWN))
    right = ("6 + 6 = 12 left 6 6 12\n", "6 + 12 = 18 left 6 18\n", "6 + 18 = 24 left 24")
    good, cut_off = Prefix("6 6 6 6", right, True), Prefix("6 6 6 6", right[:1])
    replies = driver.run([ask(Grade((good, cut_off))), ask(Grade(())), ask(Grade((good,)))])
    assert [[str(each.verdict) for each in reply] for reply in replies] == [
        ["correct", "truncated"], [], ["correct"],
    ]  # fmt: skip
    assert driver.grader.sizes == [3]


def test_what_a_run_spent_has_its_tokens_and_where_its_time_went(driver):
    driver = replace(driver, grader=SlowGrader(COUNTDOWN))
    root = Prefix("1 2 3 4")
    [graded] = driver.run([solutions("1 2 3 4")])
    spent = driver.spent
    assert spent["prompt_tokens"] == len(driver.codec.encode(root))
    assert spent["generated_tokens"] == sum(sample.num_tokens for sample, _ in graded)
    assert spent["engine_seconds"] > 0
    assert spent["grading_seconds"] >= SlowGrader.SECONDS
    driver.run([ask(Score("q", (root,)))])
    assert driver.spent["scoring_seconds"] > 0
    assert driver.spent["grading_seconds"] == driver.spent["generated_tokens"] == 0


def test_a_prefix_without_room_is_not_run_and_costs_nothing(driver):
    full = Prefix("1 2 3 4", ("1 + 2 = 3 left 3 3 4\n",))
    driver.run([ask(Extend("base", (full,), 3, "end", 2, "label"))])
    assert driver.spent["prompt_tokens"] == driver.spent["generated_tokens"] == 0


def test_grades_come_from_the_domain(driver):
    good = Prefix("6 6 6 6", ("6 + 6 = 12 left 6 6 12\n", "6 + 12 = 18 left 6 18\n",
                              "6 + 18 = 24 left 24"), True)  # fmt: skip
    cut_off = Prefix("6 6 6 6", good.steps[:1])
    [gradings] = driver.run([ask(Grade((good, cut_off)))])
    assert [each.verdict for each in gradings] == [Verdict.CORRECT, Verdict.TRUNCATED]


def test_a_role_that_nobody_plays_is_named(driver):
    with pytest.raises(InputError, match=r"policy: expected one of \['base'\], got 'strong'"):
        driver.run([ask(Extend("strong", (Prefix("1 2 3 4"),), 1, "end", 4, "search"))])


def test_a_prompt_longer_than_the_context_is_refused(folder):
    long = Problem("long", "countdown", " ".join(["12345678"] * 40), "24", "train")
    problems = {"long": long}
    engine = TransformersEngine(folder, EngineSampling(), device="cpu", dtype="float32")
    role = {"base": PolicyRole("p", engine)}
    driver = Driver(COUNTDOWN, problems, Codec(build_tokenizer(), COUNTDOWN, problems), role)
    with pytest.raises(InputError, match="context of 256"):
        driver.run([solutions("long")])


def test_a_continuation_has_the_log_probability_of_its_tokens_under_the_policy(driver):
    """Of the text's own tokens: what was sampled as other tokens of the same text is not it."""
    known = {
        Prefix(HANDS[0]): "13 - 9 = 4 left 4 4 10\n",
        Prefix(HANDS[0], ("13 - 9 = 4 left 4 4 10\n",)): "10 - 4 = 6 left 4 6\n",
        Prefix(HANDS[1]): "1 + 2 = 3 left 3 3 4\n",
    }
    apart = [ask(LogProb("base", (prefix,), (text,))) for prefix, text in known.items()]
    together = ask(LogProb("base", tuple(known), tuple(known.values())))
    *single, whole = driver.run([*apart, together])
    assert whole == pytest.approx([value for [value] in single], rel=1e-5)
    model = driver.policies["base"].engine.model
    for (prefix, text), value in zip(known.items(), whole, strict=True):
        start = len(driver.codec.encode(prefix))
        ids = torch.tensor([driver.codec.encode(Prefix(prefix.problem_id, (*prefix.steps, text)))])
        with torch.inference_mode():
            logits = model(ids).logits[0, start - 1 : -1].double()
        expected = torch.log_softmax(logits, -1).gather(1, ids[0, start:, None]).sum()
        assert value == pytest.approx(float(expected), rel=1e-4)
    assert driver.costs[-1]["prompt_tokens"] == sum(
        each["prompt_tokens"] for each in driver.costs[:-1]
    )


def test_log_probabilities_wait_for_what_is_being_sampled_and_follow_it(driver):
    def both():
        [drawn] = yield Extend("base", (Prefix(HANDS[0]),), 1, "end", 6, "search")
        [value] = yield LogProb("base", (Prefix(HANDS[0]),), ("1 + 2 = 3 left 3 3 4\n",))
        return drawn, value

    [(drawn, value), _] = driver.run([both(), solutions(HANDS[1])])
    assert len(drawn) == 1
    assert value < 0
