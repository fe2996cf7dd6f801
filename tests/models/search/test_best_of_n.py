from pav.models.records import Extend, Grading, Prefix, Sample, Score, Verdict
from pav.models.search.best_of_n import best_of_n
from pav.models.search.results import Sampling
from pav.models.search.rewards import Rule

TREE = {(): ["aa", "b", "c"]}
VALUES = {"orm": {(): 0.5, ("aa",): 0.1, ("b",): 0.9, ("c",): 0.8}}
SAMPLING = Sampling("base", seed=4, max_tokens=9)
RULES = {"orm": Rule("last", "orm")}


def sampled(*num_samples, rules=RULES):
    """Best-of-N whose responses answer with their first letter."""
    return best_of_n(
        Prefix("p"), sampling=SAMPLING, num_samples=num_samples, rules=rules,
        answer_key=lambda response: response.text[0],
    )  # fmt: skip


def test_the_solution_with_the_highest_score_is_the_answer(world, play):
    here = world(TREE, VALUES, right=frozenset({"b"}))
    results = play(sampled(1, 3), here)
    assert results[3].text("orm") == "b"
    assert results[3].is_correct("orm")
    assert results[1].text("orm") == "aa"
    assert not results[1].is_any_correct


def test_what_the_policy_says_more_often_wins_where_the_scores_are_close(world, play):
    rules = {"orm": Rule("last", "orm"), "orm_likely": Rule("last", "orm", likelihood=0.2)}
    tree = {(): ["zz", "b"]}
    here = world(tree, {"orm": {(): 0.5, ("zz",): 0.9, ("b",): 0.8}})
    result = play(sampled(2, rules=rules), here)[2]
    assert (result.text("orm"), result.text("orm_likely")) == ("zz", "b")


def test_votes_are_counted_over_equal_answers_not_over_equal_texts(world, play):
    rules = {
        "majority": Rule("first", is_vote=True),
        "weighted": Rule("last", "orm", is_vote=True),
        "orm": Rule("last", "orm"),
    }
    # four texts: two answer "b" in other words
    tree = {(): ["a", "c", "b1", "b22"]}
    here = world(tree, {"orm": {(): 0.5, ("a",): 0.7, ("c",): 0.4, ("b1",): 0.3, ("b22",): 0.35}})
    results = play(sampled(1, 4, rules=rules), here)
    assert (results[1].text("majority"), results[4].text("majority")) == ("a", "b1")
    # .3 + .35 is less than .7; with the next four samples nothing changes, all being doubled
    assert results[4].text("weighted") == results[4].text("orm") == "a"
    here = world(tree, {"orm": {(): 0.5, ("a",): 0.6, ("c",): 0.4, ("b1",): 0.3, ("b22",): 0.35}})
    result = play(sampled(4, rules=rules), here)[4]
    assert (result.text("weighted"), result.text("orm")) == ("b22", "a")


def test_smaller_n_are_the_first_samples_of_one_draw(world, play):
    here = world(TREE, VALUES)
    play(sampled(1, 2, 6), here)
    extends = [request for request in here.requests if isinstance(request, Extend)]
    assert extends == [Extend("base", (Prefix("p"),), 6, "end", 9, "search", seed=4)]


def test_cost_counts_every_sample_but_repeated_solutions_are_scored_once(world, play):
    here = world(TREE, VALUES)
    results = play(sampled(2, 6), here)
    assert (results[6].cost.num_candidates, results[6].cost.generated_tokens) == (6, 8)
    assert results[6].cost.scored == {"orm": (3, 4)}
    assert results[2].cost.scored == {"orm": (2, 3)}
    [score] = [request for request in here.requests if isinstance(request, Score)]
    assert len(score.prefixes) == 3


def test_solutions_that_were_cut_off_are_no_answers(play):
    class CutOff:
        def answer(self, request):
            if isinstance(request, Extend):
                return ((Sample(("a",), "length", 9),),)
            return (Grading(Verdict.TRUNCATED),)

    result = play(sampled(1), CutOff())[1]
    assert not result.is_correct("orm")
    assert result.text("orm") == ""
    assert result.cost.generated_tokens == 9
