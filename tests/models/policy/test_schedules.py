import pytest

from pav.models.policy.schedules import warmup_cosine


def factors(*, warmup, total):
    return [warmup_cosine(step, warmup_steps=warmup, total_steps=total) for step in range(total)]


def test_the_rate_rises_evenly_then_falls_as_a_cosine():
    assert factors(warmup=3, total=7) == pytest.approx(
        [0.25, 0.5, 0.75, 1.0, (1 + 2**-0.5) / 2, 0.5, (1 - 2**-0.5) / 2]
    )


def test_without_warm_up_the_first_step_has_the_full_rate():
    assert factors(warmup=0, total=4)[0] == 1.0


def test_a_training_shorter_than_its_warm_up_only_rises():
    assert factors(warmup=9, total=3) == pytest.approx([0.1, 0.2, 0.3])


def test_the_rate_after_the_end_is_zero():
    assert warmup_cosine(10, warmup_steps=2, total_steps=10) == 0.0
    assert warmup_cosine(12, warmup_steps=2, total_steps=10) == 0.0
