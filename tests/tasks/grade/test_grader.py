from pav.models.domains import domain
from pav.models.domains.math.domain import Math
from pav.models.records import Grading, Prefix, Verdict
from pav.models.settings import GradeSettings
from pav.tasks.grade.grader import Grader
from pav.tasks.grade.pool import Comparison, GradingPool

MATH = Math()


REPLIES = {
    "yes!": Comparison(True),
    "no!": Comparison(False),
    "?": Comparison(None, "grader timed out"),
}


class ListedPool:
    """Says of an answer what is listed for it, and keeps the batches it is asked for."""

    def __init__(self):
        self.batches = []

    def compare(self, doubts):
        self.batches.append([doubt.answer for doubt in doubts])
        return [REPLIES[doubt.answer] for doubt in doubts]

    def close(self):
        self.batches.append("closed")


def responses(*answers):
    problem = MATH.problem("q", "x+1", problem_id="p", split="train")
    return [(problem, Prefix("p", (f"#### {answer}",), True)) for answer in answers]


def test_each_distinct_doubt_is_settled_once_and_in_one_batch():
    pool = ListedPool()
    grader = Grader(MATH, pool)
    found = grader.grade(responses("yes!", "x + 1", "no!", "?", "yes!"))
    assert found == [
        Grading(Verdict.CORRECT),
        Grading(Verdict.CORRECT),
        Grading(Verdict.WRONG, "another answer"),
        Grading(Verdict.FAILED, "grader timed out"),
        Grading(Verdict.CORRECT),
    ]
    assert grader.grade(responses("yes!", "?"))[1].verdict == Verdict.FAILED
    assert pool.batches == [["yes!", "no!", "?"]]
    grader.close()
    assert pool.batches[-1] == "closed"


def test_what_is_known_is_forgotten_before_memory_grows():
    pool = ListedPool()
    grader = Grader(MATH, pool, most_remembered=1)
    for answer in ("yes!", "no!", "yes!"):
        grader.grade(responses(answer))
    assert pool.batches == [["yes!"], ["no!"], ["yes!"]]
    both = grader.grade(responses("yes!", "no!"))
    assert [each.verdict for each in both] == [Verdict.CORRECT, Verdict.WRONG]


def test_a_domain_without_doubts_starts_no_process():
    family = domain("countdown")
    problem = family.problem("6 6 6 6", "24", problem_id="p", split="train")
    pool = GradingPool(GradeSettings())
    grader = Grader(family, pool)
    assert grader.grade([(problem, Prefix("p", ("6 + 6",), True))])[0].verdict == Verdict.UNPARSED
    assert pool.processes == []
