from pav.models.agreement import agreement, disagreements
from pav.models.records import Verdict

RIGHT, WRONG, FAILED = Verdict.CORRECT, Verdict.WRONG, Verdict.FAILED


def test_agreement_counts_rows_with_an_expectation_only():
    found = agreement([(True, RIGHT), (True, FAILED), (False, WRONG), (None, WRONG)])
    assert (found.num_rows, found.num_agreeing) == (3, 2)
    lines = found.as_text().splitlines()
    assert lines[0].split() == ["expected", *Verdict]
    assert lines[1].split() == ["right", "1", "0", "0", "0", "1"]
    assert lines[2].split() == ["not", "right", "0", "1", "0", "0", "0"]
    assert lines[3] == "agreement 2 of 3 (66.67%)"


def test_a_second_grader_disagrees_only_where_both_can_tell():
    verdicts = [RIGHT, RIGHT, WRONG, WRONG, FAILED, Verdict.TRUNCATED, Verdict.UNPARSED]
    assert disagreements(verdicts, [True, False, True, None, True, True, True]) == [1, 2, 6]
