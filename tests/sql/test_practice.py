"""What a practitioner asks of labels, each question in one to three short lines."""

import pytest

# question -> SQL; `…` stands for an id
QUESTIONS = {
    "labels, rollouts and success by policy": """
        select policy, count(*), sum(num_rollouts), sum(num_correct) / sum(num_rollouts)
        from value_estimates where not is_terminal group by policy""",
    "mean size of an advantage by step under weak": """
        select step, avg(abs(advantage)) from advantages
        where policy = 'weak' group by step order by step""",
    "the ten problems that cost most tokens": """
        select question, sum(generated_tokens) from labels join prefixes using (prefix_id)
        join problems using (problem_id) group by all order by 2 desc limit 10""",
    "one solution under all policies": """
        pivot (from step_values where solution_id = 'right')
        on policy using any_value(value) group by num_steps order by num_steps""",
    "steps where weak and strong disagree in sign": """
        select a.step_text, a.advantage, b.advantage from advantages a join advantages b
        using (solution_id, step) where a.policy = 'weak' and b.policy = 'base'
        and sign(a.advantage) <> sign(b.advantage)""",
    "share of labels with wide intervals": """
        select policy, avg((wilson_high - wilson_low > 0.3)::int)
        from value_estimates where not is_terminal group by policy""",
    "verifier error by depth": """
        select verifier, num_steps, avg((score - num_correct / num_rollouts) ** 2)
        from scores where num_rollouts > 0 group by all order by all""",
    "histogram of values by split": """
        select split, floor(10 * target) / 10 as bin, count(*)
        from value_targets group by all order by all""",
    "SFT rows: prompt, prefix and a good step": """
        select prompt, text as prefix, step_text from advantages join problems using (problem_id)
        join prefixes on prefix_id = prefix_id_before where policy = 'base' and advantage > 0.1""",
    "raw rollouts of a prefix": """
        select text, verdict from rollouts where prefix_id = 'first' and policy = 'base'""",
    "verdict by length": """
        select num_steps, verdict, count(*) from solutions group by all order by all""",
    "settings of a run": """
        select settings->>'$.train.steps' from runs where is_last""",
    "accuracy by N and arm": """
        pivot search_results on num_samples using avg(is_correct::int)
        group by strategy, verifier, prover""",
    "best of 4 of the bare problems": """
        select policy, avg(best_of(first_correct, first_rollouts, 4))
        from value_estimates where num_steps = 0 group by policy""",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_takes_three_lines_and_has_an_answer(ask, question):
    text = QUESTIONS[question].strip()
    assert len(text.splitlines()) <= 3
    rows = ask(text)
    assert rows
    assert all(row for row in rows)


def test_raw_rollouts_of_a_prefix_are_its_rollouts(ask):
    rows = ask(QUESTIONS["raw rollouts of a prefix"])
    assert sorted(row["verdict"] for row in rows) == ["correct", "wrong"]
    assert all(row["text"].endswith("6 * 4 = 24 left 24") for row in rows)


def test_one_solution_under_all_policies_has_a_column_a_policy(ask):
    rows = ask(QUESTIONS["one solution under all policies"])
    assert list(rows[0]) == ["num_steps", "base", "weak"]
    assert [row["num_steps"] for row in rows] == [0, 1, 2, 3]
