"""The embedded policy: a Llama of under a million parameters and its lossless tokenizer."""

from typing import Any, Protocol

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, PreTrainedTokenizerFast

MAX_POSITIONS = 256
PAD, EOS = "<pad>", "<eos>"
_WORDS = (" +", " -", " *", " /", " =", " left", " ->")
_NUMBERS = range(100)
# "<" is a piece of its own, so no piece of a text is the name of a special token.
_PIECES = r"<|\n| left| ->| [+\-*/=]| ?[0-9]+"


class Architecture(Protocol):
    """The size of an embedded policy."""

    @property
    def num_layers(self) -> int:
        """Transformer layers."""

    @property
    def hidden_size(self) -> int:
        """Width."""

    @property
    def intermediate_size(self) -> int:
        """Width of the feed-forward layers."""

    @property
    def num_heads(self) -> int:
        """Attention heads."""


def whole_tokens() -> tuple[str, ...]:
    """Return the texts that are one token each; the line end is one as a byte already."""
    after_space = tuple(f" {number}" for number in _NUMBERS)
    at_start = tuple(str(number) for number in _NUMBERS if number > 9)
    return (*after_space, *at_start, *_WORDS)


def _byte_characters() -> dict[int, str]:
    """Map each byte to the character that ByteLevel writes for it (as in GPT-2)."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {
        byte: chr(256 + index) for index, byte in enumerate(hidden)
    }


def _vocabulary() -> dict[str, int]:
    characters = _byte_characters()
    words = ("".join(characters[byte] for byte in word.encode()) for word in whole_tokens())
    tokens = [PAD, EOS, *(characters[byte] for byte in range(256)), *words]
    return {token: index for index, token in enumerate(tokens)}


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer: common numbers and signs whole, all else by bytes, nothing unknown.

    No text becomes a special token: "<eos>" in a question is spelled like any other text.
    """
    # Without merges, ignore_merges makes a piece one token where it is known, else its bytes.
    backend = Tokenizer(BPE(vocab=_vocabulary(), merges=[], ignore_merges=True))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        eos_token=EOS,
        padding_side="right",
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
        model_max_length=MAX_POSITIONS,
    )


def build_config(size: Architecture, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """Return the configuration of the embedded policy, embeddings tied."""
    ids: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }
    return LlamaConfig(
        hidden_size=size.hidden_size,
        intermediate_size=size.intermediate_size,
        num_hidden_layers=size.num_layers,
        num_attention_heads=size.num_heads,
        num_key_value_heads=size.num_heads,
        max_position_embeddings=MAX_POSITIONS,
        tie_word_embeddings=True,
        **ids,
    )
