from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, LlamaForCausalLM

from pav.models.policy.embedded import build_config, build_tokenizer, whole_tokens
from pav.models.settings import PrepareSettings


@cache
def tokenizer():
    return build_tokenizer()


def tokens(text):
    ids = tokenizer().encode(text, add_special_tokens=False)
    return [tokenizer().decode([index]) for index in ids]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4 9 10 13 -> 24\n", ["4", " 9", " 10", " 13", " ->", " 24", "\n"]),
        ("13 - 9 = 4 left 4\n", ["13", " -", " 9", " =", " 4", " left", " 4", "\n"]),
        ("8 / 3 = 8/3", ["8", " /", " 3", " =", " 8", "/", "3"]),
        (" 99 100", [" 99", " ", "1", "0", "0"]),
    ],
)
def test_common_numbers_and_signs_are_one_token_and_others_are_spelled(text, expected):
    assert tokens(text) == expected


@settings(max_examples=50)
@given(st.text())
def test_any_text_comes_back_unchanged(text):
    ids = tokenizer().encode(text)
    assert tokenizer().decode(ids, skip_special_tokens=False) == text


@settings(max_examples=50)
@given(
    st.sampled_from(["", " ", "4 9"]),
    st.sampled_from(["<eos>", "<pad>", "<unk>", "<s>"]),
    st.text(max_size=9),
)
def test_no_text_becomes_a_special_token(before, special, after):
    ids = tokenizer().encode(before + special + after)
    assert not set(ids) & set(tokenizer().all_special_ids)
    assert tokenizer().unk_token is None


def test_every_whole_token_is_one_token():
    assert [len(tokens(text)) for text in whole_tokens()] == [1] * len(whole_tokens())


def test_a_saved_tokenizer_loads_by_auto_tokenizer_and_agrees(tmp_path):
    tokenizer().save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "13 - 9 = 4 left\n <eos> é"
    assert loaded.encode(text) == tokenizer().encode(text)
    assert loaded.decode(loaded.encode(text)) == text
    assert (loaded.eos_token_id, loaded.pad_token_id) == (1, 0)


def test_the_default_policy_has_under_a_million_parameters():
    model = LlamaForCausalLM(build_config(PrepareSettings(), tokenizer()))
    assert 500_000 < model.num_parameters() < 1_000_000
    assert model.config.max_position_embeddings == 256
    assert model.lm_head.weight is model.model.embed_tokens.weight
